package import Compute
package import DeviceProfiles
package import ModelFiles

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
        try failing(model) {
            let reference = LazyReference(model: model, pool: pool, timer: timer)
            var work = try prepare(model, profiles, reference, shared: nil)
            let budget = TimeBudget(limit: options.timeLimit, elapsed: timer.elapsed)
            let sources = try measure(&work, model, reference, part: nil, budget)
            var results: [TuningResult] = []
            for (profile, catalog) in zip(profiles, work.catalogs) {
                let key = textKey(profile, model)
                guard let text = work.texts[key], let source = sources[key] else { continue }
                let run = ProfileRun(
                    model: source.model, profile: profile, catalog: catalog, scores: source.scores, text: text,
                    options: options, pool: pool, timer: timer, reference: source.reference, texts: source.texts,
                    store: store, budget: budget, bundles: profiles.count)
                results.append(try run.result())
            }
            return results
        }
    }

    /// Scores the choices for `profiles`, or a shard's part of them beside other processes that score theirs: the store gets
    /// what a run of `tune` would put there for these groups.
    package func score(
        model: Model, profiles: [DeviceProfile], part: (shard: Shard, work: SharedWork)?
    ) throws(TuningError) {
        try failing(model) {
            let reference = LazyReference(model: model, pool: pool, timer: timer)
            var work = try prepare(model, profiles, reference, shared: part?.work)
            _ = try measure(&work, model, reference, part: part, TimeBudget(limit: nil, elapsed: timer.elapsed))
        }
    }

    private func failing<Result>(_ model: Model, _ body: () throws -> Result) throws(TuningError) -> Result {
        do {
            return try body()
        } catch let error as TuningError {
            throw error
        } catch {
            throw TuningError(.badInput, place: model.name, "\(error)")
        }
    }

    /// What scores are measured of, and on what.
    private struct Preparation {
        var profiles: [DeviceProfile]
        /// One for each profile.
        var catalogs: [ChoiceCatalog]
        var texts: [TextKey: TextPlan] = [:]
    }

    private func prepare(
        _ model: Model, _ profiles: [DeviceProfile], _ reference: LazyReference, shared: SharedWork?
    ) throws -> Preparation {
        let catalogs = try profiles.map { try catalog($0, model) }
        var result = Preparation(
            profiles: profiles,
            catalogs: options.balancing(of: model, for: catalogs).map { refinement in
                catalogs.map { $0.balanced(by: refinement) }
            } ?? catalogs)
        for profile in profiles {
            let key = textKey(profile, model)
            if result.texts[key] == nil { result.texts[key] = try textPlan(key, model, reference, shared) }
        }
        return result
    }

    /// What plans on one text are made from: the model as balancing leaves it, its float form, its scores, and what it says.
    private struct Source {
        var model: Model
        var reference: LazyReference
        var scores: Scores
        var texts: ProfileRun.Texts
    }

    /// The scores on each text of the profiles that are tuned on it. Under a time limit catalogs lose what need not be measured.
    private func measure(
        _ work: inout Preparation, _ plain: Model, _ plainReference: LazyReference,
        part: (shard: Shard, work: SharedWork)?, _ budget: TimeBudget
    ) throws -> [TextKey: Source] {
        var sources: [TextKey: Source] = [:]
        for (key, text) in work.texts.sorted(by: { $0.key < $1.key }) {
            let places = work.profiles.indices.filter { textKey(work.profiles[$0], plain) == key }
            let (model, reference) = try balance(
                plain, plainReference, text, places.map { work.catalogs[$0] }, part?.work)
            let scorer = Scorer(
                model: model, calibration: text.calibration, seed: options.seed, observer: options.observer,
                store: store, pool: pool, reference: reference.model, part: part,
                progress: { try timer.progress("scores", $0, $1) })
            for place in places where budget.isLimited {
                let catalog = work.catalogs[place]
                let (scores, formats) = try scorer.known(of: catalog)
                guard !budget.allows(scorer.seconds(for: catalog, beside: scores)),
                    let known = known(catalog.keeping(formats), of: catalog, scores, work.profiles[place], model)
                else { continue }
                work.catalogs[place] = known
            }
            let scores = try timer.run("scores") { try scorer.scores(for: places.map { work.catalogs[$0] }) }
            func run(_ text: EvaluationText) -> LazyEvaluation {
                LazyEvaluation(text: text, reference: reference, store: store, pool: pool)
            }
            sources[key] = Source(
                model: model, reference: reference, scores: scores,
                texts: ProfileRun.Texts(
                    evaluation: run(text.evaluation), exchange: run(try text.exchange), unseen: text.unseen.map(run)))
        }
        return sources
    }

    /// The `known` part of a free catalog whose scores are there, where some are not and a plan of those that are keeps the limits.
    private func known(
        _ known: ChoiceCatalog, of catalog: ChoiceCatalog, _ scores: Scores, _ profile: DeviceProfile, _ model: Model
    ) -> ChoiceCatalog? {
        let cost = CostModel(
            profile: profile, configuration: model.configuration, tokenizerBytes: model.tokenizer.residentBytes)
        guard catalog.isFree, known != catalog,
            let knapsack = try? PlanProblem(profile: profile, model: model, catalog: known, scores: scores, cost: cost),
            (try? Solver().solve(knapsack.problem)) != nil
        else { return nil }
        return known
    }

    /// The model with its channels balanced for `catalogs` on `text`, where that is asked for.
    private func balance(
        _ model: Model, _ reference: LazyReference, _ text: TextPlan, _ catalogs: [ChoiceCatalog],
        _ shared: SharedWork?
    ) throws -> (Model, LazyReference) {
        guard let refinement = options.balancing(of: model, for: catalogs), let format = catalogs.first?.balanceFormat
        else { return (model, reference) }
        let balanced = try timer.run("balance") {
            try ModelBalance(
                model: model, calibration: text.calibration, seed: options.seed, store: store, shared: shared,
                refinement: refinement, format: format, pool: pool, progress: { try timer.progress("balance", $0, $1) }
            ).balanced(reference: reference.model)
        }
        reference.release()
        return (balanced, LazyReference(model: balanced, pool: pool, timer: timer))
    }

    /// The choices of a profile that are worth a score.
    private func catalog(_ profile: DeviceProfile, _ model: Model) throws -> ChoiceCatalog {
        let catalog = try ChoiceCatalog(profile: profile, configuration: model.configuration, options: options)
        guard catalog.isFree else { return catalog }
        return catalog.keeping(
            try timer.run("screen") {
                try ChoiceScreen(model: model, store: store, pool: pool).formats(of: catalog, for: profile)
            })
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
        { model in
            var schedule = options.schedule ?? .standard(parameters: model.configuration.parameters)
            if let chunks = options.evaluationChunks {
                schedule.evaluationChunks = chunks
                schedule.writtenChunks = chunks
            }
            return schedule
        }
    }

    private func textKey(_ profile: DeviceProfile, _ model: Model) -> TextKey {
        let context = model.configuration.context
        return TextKey(
            calibration: options.calibration ?? profile.calibrationPath,
            length: min(schedule(model).context, profile.memory.context ?? context, context))
    }

    private func textPlan(
        _ key: TextKey, _ model: Model, _ reference: LazyReference, _ shared: SharedWork?
    ) throws -> TextPlan {
        try timer.run("text") {
            try TextPlan(
                model: model, calibration: key.calibration, evaluation: options.evaluation, schedule: schedule(model),
                length: key.length
            ) { count, length in
                try SelfWrittenText(
                    model: model, seed: options.seed, store: store, shared: shared,
                    progress: { fraction, text throws(TuningError) in try timer.progress("text", fraction, text) }
                ).sequences(count: count, length: length, reference: reference.model)
            }
        }
    }
}
