/// Where a run of the tuner is.
package struct TuningProgress: Sendable, Equatable {
    /// The stage's name, as it stands among a result's stages.
    package var stage: String
    /// Share of the stage that is done, 0...1.
    package var fraction: Double
    /// What is being worked on.
    package var text: String

    package init(stage: String, fraction: Double, text: String) {
        self.stage = stage
        self.fraction = fraction
        self.text = text
    }
}
