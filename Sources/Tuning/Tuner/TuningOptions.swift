internal import ModelFiles
package import Quantization

/// What a run of `fettle tune` is asked for beside model and profiles.
package struct TuningOptions: Sendable, Equatable {
    /// Fixes every random draw: self-written text and sampled labels.
    package var seed: UInt64 = 0
    /// Path of a calibration text; nil takes the profile's, or text that the model writes itself.
    package var calibration: String?
    /// Path of an evaluation text; nil takes the last fifth of the calibration text, or self-written text.
    package var evaluation: String?
    /// The SPECs that groups may take; empty leaves the usual ones.
    package var only: [Spec] = []
    /// One SPEC for every matrix.
    package var uniform: Spec?
    /// The format of the output head, which is the embedding where they are tied.
    package var head: Format?
    /// The format of the KV cache: `f16`, `int8` or `int4`; nil leaves it to the search.
    package var kv: String?
    /// How ranges of static inputs are found.
    package var observer = RangeObserver.mse
    /// Whether an infeasible profile gets the nearest plan instead of an error.
    package var nearest = false
    /// Whether refinements are tried that no SPEC names.
    package var refines = true
    /// Stops optional measurements after this time; nil runs the whole schedule.
    package var timeLimit: Duration?
    /// Chunks that plans are measured on; nil leaves it to the schedule.
    package var evaluationChunks: Int?
    /// How much text is used; nil derives it from the model.
    package var schedule: TuningSchedule?

    package init() {}

    /// Plans that are measured for exchanges on `model`.
    func exchanges(for model: Model, isTextWritten: Bool) -> Int {
        let schedule = schedule ?? .standard(parameters: model.configuration.parameters)
        return isTextWritten ? schedule.writtenExchanges : schedule.exchanges
    }

    /// Whether the search picks refinements: no SPEC of the command line names one.
    var isRefinementOpen: Bool { refines && (only + [uniform].compactMap(\.self)).allSatisfy(\.refinements.isEmpty) }

    /// Whether the channels of `model` are balanced before anything is scored: where a SPEC names `awq`, and where refinements
    /// are open, but for a source that is quantized already: that would take it off the grid that holds it exactly.
    ///
    /// Static inputs are smoothed instead.
    func balancing(of model: Model, for catalogs: [ChoiceCatalog]) -> Refinement? {
        let refinement = catalogs.contains(where: \.isStatic) ? Refinement.smooth : .awq
        let isAsked = (only + [uniform].compactMap(\.self)).contains { $0.refinements.contains(refinement) }
        return isAsked || isRefinementOpen && !model.isQuantized ? refinement : nil
    }
}

/// How much text tuning uses: counts, never a time, so that the same input gives the same bytes.
package struct TuningSchedule: Sendable, Equatable {
    /// Sequences that sensitivities are measured on.
    package var calibrationSequences: Int
    /// Sequences of a calibration text that weights are refined on: forward passes alone, and second moments of the longest
    /// input settle slowly.
    package var refinementSequences: Int
    /// Chunks that the plan and its baselines are measured on.
    package var evaluationChunks: Int
    /// Chunks of a calibration text, which nothing else uses, that tell what the plan that ships will do: none leave it to the
    /// scores.
    package var unseenChunks: Int
    /// The same two where the model must write the text itself: each token costs a pass over its weights.
    package var writtenSequences: Int
    package var writtenChunks: Int
    /// The longest sequence or chunk, in tokens.
    package var context: Int
    /// Plans that are measured on the calibration text for exchanges, beside the solver's.
    package var exchanges: Int
    /// The same where the model wrote that text.
    package var writtenExchanges: Int

    package init(
        calibrationSequences: Int, refinementSequences: Int? = nil, evaluationChunks: Int, unseenChunks: Int = 0,
        writtenSequences: Int? = nil, writtenChunks: Int? = nil, context: Int = 512, exchanges: Int = 4,
        writtenExchanges: Int? = nil
    ) {
        self.calibrationSequences = calibrationSequences
        self.refinementSequences = refinementSequences ?? calibrationSequences
        self.evaluationChunks = evaluationChunks
        self.unseenChunks = unseenChunks
        self.writtenSequences = writtenSequences ?? calibrationSequences
        self.writtenChunks = writtenChunks ?? evaluationChunks
        self.context = context
        self.exchanges = exchanges
        self.writtenExchanges = writtenExchanges ?? exchanges
    }

    /// The schedule for a model: less text for more parameters, so that scoring takes minutes at any size.
    package static func standard(parameters: Int) -> TuningSchedule {
        switch parameters {
        case ..<300_000_000:
            TuningSchedule(
                calibrationSequences: 6, refinementSequences: 14, evaluationChunks: 8, unseenChunks: 16,
                writtenSequences: 6, writtenChunks: 4, writtenExchanges: 0)
        case ..<1_000_000_000:
            TuningSchedule(
                calibrationSequences: 4, refinementSequences: 16, evaluationChunks: 6, unseenChunks: 8,
                writtenSequences: 2, writtenChunks: 3, writtenExchanges: 0)
        default:
            TuningSchedule(
                calibrationSequences: 2, evaluationChunks: 4, unseenChunks: 4, writtenSequences: 1, writtenChunks: 2,
                writtenExchanges: 0)
        }
    }
}
