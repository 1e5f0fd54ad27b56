package import Compute
package import DeviceProfiles
package import ModelFiles
internal import Reference

/// Tunes a model for devices: texts, scores, knapsack, verification. One set of scores serves every profile.
package struct Tuner {
    private let options: TuningOptions
    private let store: ScoreStore
    private let pool: ThreadPool
    private let timer: StageTimer

    /// A tuner that keeps scores in `store` and runs on `pool`.
    ///
    /// - `clock`: times stages and the time limit; nothing else depends on it.
    /// - `isCancelled`: asked often; once it is true, `tune` throws `cancelled`, with what was scored in the store.
    /// - `progress`: called on the thread that tunes.
    package init<TuningClock: Clock>(
        options: TuningOptions, store: ScoreStore, pool: ThreadPool, clock: TuningClock = ContinuousClock(),
        isCancelled: @escaping () -> Bool = { false }, progress: @escaping (TuningProgress) -> Void
    ) where TuningClock.Duration == Duration {
        self.options = options
        self.store = store
        self.pool = pool
        let start = clock.now
        timer = StageTimer(
            elapsed: { start.duration(to: clock.now) }, isCancelled: isCancelled, report: progress)
    }

    /// The best plan of `model` for each profile, packed and measured. Throws `infeasible` with an explanation where a profile
    /// cannot be met and `nearest` is not asked for.
    package func tune(model: Model, profiles: [DeviceProfile]) throws(TuningError) -> [TuningResult] {
        do {
            let reference = LazyReference(model: model, pool: pool, timer: timer)
            let catalogs = try profiles.map { try catalog($0, model) }
            var texts: [TextKey: TextPlan] = [:]
            var scores: [TextKey: Scores] = [:]
            for profile in profiles {
                let key = textKey(profile, model)
                if texts[key] == nil { texts[key] = try textPlan(key, model, reference) }
            }
            for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
                let used = zip(profiles, catalogs).filter { textKey($0.0, model) == key }.map(\.1)
                scores[key] = try timer.run("scores") {
                    try Scorer(
                        model: model, calibration: text.calibration, seed: options.seed, store: store, pool: pool,
                        reference: reference.model,
                        progress: { try timer.progress("scores", $0, $1) }
                    ).scores(for: used)
                }
            }
            let evaluations = texts.mapValues { LazyEvaluation(text: $0.evaluation, reference: reference, pool: pool) }
            var results: [TuningResult] = []
            for (profile, catalog) in zip(profiles, catalogs) {
                let key = textKey(profile, model)
                guard let text = texts[key], let scores = scores[key], let evaluation = evaluations[key] else {
                    continue
                }
                let run = ProfileRun(
                    model: model, profile: profile, catalog: catalog, scores: scores, text: text, options: options,
                    pool: pool, timer: timer, reference: reference, evaluation: evaluation, store: store)
                results.append(try run.result())
            }
            return results
        } catch let error as TuningError {
            throw error
        } catch {
            throw TuningError(.badInput, place: model.name, "\(error)")
        }
    }

    /// The choices of a profile that are worth a score.
    private func catalog(_ profile: DeviceProfile, _ model: Model) throws -> ChoiceCatalog {
        let catalog = try ChoiceCatalog(profile: profile, configuration: model.configuration, options: options)
        guard catalog.isFree else { return catalog }
        return catalog.keeping(
            try timer.run("screen") { try ChoiceScreen(model: model, pool: pool).formats(of: catalog, for: profile) })
    }

    /// What decides which texts a profile is tuned on.
    private struct TextKey: Hashable, Comparable {
        var calibration: String?
        var length: Int

        static func < (left: TextKey, right: TextKey) -> Bool {
            (left.calibration ?? "", left.length) < (right.calibration ?? "", right.length)
        }
    }

    private var schedule: (Model) -> TuningSchedule {
        { options.schedule ?? .standard(parameters: $0.configuration.parameters) }
    }

    private func textKey(_ profile: DeviceProfile, _ model: Model) -> TextKey {
        let context = model.configuration.context
        return TextKey(
            calibration: options.calibration ?? profile.calibrationPath,
            length: min(schedule(model).context, profile.memory.context ?? context, context))
    }

    private func textPlan(_ key: TextKey, _ model: Model, _ reference: LazyReference) throws -> TextPlan {
        try timer.run("text") {
            try TextPlan(
                model: model, calibration: key.calibration, evaluation: options.evaluation, schedule: schedule(model),
                length: key.length
            ) { count, length in
                try selfWritten(count: count, length: length, model, reference)
            }
        }
    }

    /// Self-written sequences, from the store where it has them.
    private func selfWritten(
        count: Int, length: Int, _ model: Model, _ reference: LazyReference
    ) throws -> [[Int32]] {
        let key = ScoreContext.textKey(model: model, seed: options.seed, length: length)
        var known: [[Int32]] = []
        while known.count < count, let sequence: [Int32] = try store.vector("sequence \(known.count)", in: key) {
            known.append(sequence)
        }
        if known.count == count { return known }
        let written = try SelfWriting(model: model, reference: try reference.model(), seed: options.seed)
            .sequences(count: count, length: length) { fraction throws(TuningError) in
                try timer.progress("text", fraction, "writing \(count) sequences")
            }
        try store.put(
            Dictionary(uniqueKeysWithValues: written.enumerated().map { ("sequence \($0)", $1) }), in: key)
        return written
    }
}

/// The float32 model, loaded when it is first needed.
final class LazyReference {
    private let load: () throws -> ReferenceModel
    private var loaded: ReferenceModel?

    init(model: Model, pool: ThreadPool, timer: StageTimer) {
        load = {
            try timer.run("reference") {
                try ReferenceModel(configuration: model.configuration, pool: pool) { name in
                    try model.tensor(name).matrix()
                }
            }
        }
    }

    /// The model.
    func model() throws -> ReferenceModel {
        if let loaded { return loaded }
        let model = try load()
        loaded = model
        return model
    }
}

/// Measurements on one text, begun when they are first needed.
final class LazyEvaluation {
    private let text: EvaluationText
    private let reference: LazyReference
    private let pool: ThreadPool
    private var made: QualityEvaluation?

    init(text: EvaluationText, reference: LazyReference, pool: ThreadPool) {
        self.text = text
        self.reference = reference
        self.pool = pool
    }

    /// The evaluation.
    func evaluation() throws -> QualityEvaluation {
        if let made { return made }
        let evaluation = QualityEvaluation(reference: try reference.model(), text: text, pool: pool)
        made = evaluation
        return evaluation
    }
}
