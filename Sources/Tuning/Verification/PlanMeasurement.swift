internal import IntegerRuntime

/// Measures whole plans on one text; what the store has is taken from there.
struct PlanMeasurement {
    let text: EvaluationText
    /// How Fettle's runtime executes the plans; nil where they are llama.cpp's.
    let execution: ExecutionMode?
    /// Made when something is measured that the store does not have.
    let evaluation: () throws -> QualityEvaluation
    let store: ScoreStore
    /// What the scores depend on, and with them the plans' bytes.
    let context: ScoreContext
    let budget: TimeBudget
    let clock: () -> Duration
    let progress: (_ fraction: Double) throws(TuningError) -> Void

    /// The execution's name.
    var mode: String { execution?.rawValue ?? "llama.cpp" }

    /// What each plan did at every position.
    func scores(of plans: [Plan], packer: inout PlanPacker) throws -> [QualityEvaluation.Scores] {
        let key = context.evaluationKey(text, mode: mode)
        let names = plans.map(\.digest)
        var known: [String: QualityEvaluation.Scores] = [:]
        for name in names {
            let numbers: [Double]? = try store.vector(name, in: key)
            known[name] = numbers.flatMap(QualityEvaluation.Scores.init(numbers:))
        }
        var missing: [(plan: Plan, name: String)] = []
        for (plan, name) in zip(plans, names) where known[name] == nil && !missing.contains(where: { $0.name == name })
        {
            missing.append((plan, name))
        }
        if !missing.isEmpty {
            var candidates: [IntegerModel] = []
            let start = clock()
            for (plan, _) in missing {
                candidates.append(try packer.runtimeModel(of: plan, context: text.context, mode: execution ?? .dynamic))
            }
            let packed = clock()
            let scores = try evaluation().run(candidates, progress: progress)
            budget.note(
                plans: missing.count, packing: (packed - start) / .seconds(1), chunks: text.chunks.count,
                running: (clock() - packed) / .seconds(1))
            packer.releaseExecutables()
            for (score, (_, name)) in zip(scores, missing) { known[name] = score }
            try store.put(
                Dictionary(zip(missing.map(\.name), scores.map(\.numbers)), uniquingKeysWith: { first, _ in first }),
                in: key)
        }
        return names.map { known[$0] ?? QualityEvaluation.Scores() }
    }
}
