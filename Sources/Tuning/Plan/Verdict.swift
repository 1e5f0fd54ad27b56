/// One constraint of the profile with what was promised and what was found.
package struct Verdict: Sendable, Equatable, Codable {
    /// `memory.budget`, `memory.storage`, `latency.prefill`, `latency.decode`, `energy.goal` or `quality.goal`.
    package var constraint: String
    package var goal: Double
    package var predicted: Double
    /// Nil where it cannot be measured on this machine, and where measuring it failed.
    package var measured: Double?
    /// Why measuring failed, in words; the goal then counts as not met.
    package var unmeasured: String?
    /// `B`, `s`, `J`, `nats`, or empty for a ratio.
    package var unit: String
    package var met: Bool

    package init(
        constraint: String, goal: Double, predicted: Double, measured: Double?, unit: String, met: Bool
    ) {
        self.constraint = constraint
        self.goal = goal
        self.predicted = predicted
        self.measured = measured
        self.unit = unit
        self.met = met
    }
}
