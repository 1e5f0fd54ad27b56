internal import DeviceProfiles
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization

/// Measures a plan and its baselines on the integer runtime, and sees to it that what ships is the best of them.
struct Verifier {
    let knapsack: PlanProblem
    let text: EvaluationText
    /// Made when something is measured that the store does not have.
    let evaluation: () throws -> QualityEvaluation
    let store: ScoreStore
    /// What the scores depend on, and with them the plans' bytes.
    let context: ScoreContext
    /// Whether baselines are measured too.
    let measuresBaselines: Bool
    let progress: (_ fraction: Double) throws(TuningError) -> Void

    /// What was found.
    struct Outcome {
        /// The choices that ship, and the plan with its refinements.
        var chosen: [Int]
        var plan: Plan
        var quality: QualityMeasure
        var uniform: TuningResult.Baseline?
        var rule: TuningResult.Baseline?
        /// Measured by predicted KL of the solver's own plan.
        var correction: Double
    }

    /// Uniform plans that are measured: the best predicted, and another one where that is nearly as good. Scores rank them well
    /// enough for that.
    private static let uniformCandidates = 2
    private static let nearly = 1.2

    private struct Candidate {
        var name: String
        var chosen: [Int]
    }

    /// Measures the plan of `chosen` and the baselines that fit the limits.
    func verify(_ chosen: [Int], packer: inout PlanPacker) throws -> Outcome {
        let uniform = measuresBaselines ? uniformCandidates(kv: chosen[0]) : []
        let rule = measuresBaselines ? ruleCandidate(kv: chosen[0]) : nil
        var distinct = [chosen]
        for candidate in uniform + [rule].compactMap(\.self) where !distinct.contains(candidate.chosen) {
            distinct.append(candidate.chosen)
        }
        let plans = distinct.map(knapsack.plan)
        let measures = try measure(plans, packer: &packer)
        func quality(_ candidate: Candidate) -> QualityMeasure {
            measures[distinct.firstIndex(of: candidate.chosen) ?? 0]
        }
        let bestUniform = uniform.min { quality($0).kl < quality($1).kl }
        // Where another cost is minimised, the plan's is the least of all, and quality a goal that is looked after elsewhere.
        let isBest = knapsack.problem.objective == .sensitivity
        let winner = isBest ? distinct.indices.min { measures[$0].kl < measures[$1].kl } ?? 0 : 0
        let predicted = sensitivity(chosen)
        return Outcome(
            chosen: distinct[winner], plan: plans[winner], quality: measures[winner],
            uniform: try bestUniform.map { try baseline($0, quality($0)) },
            rule: try rule.map { try baseline($0, quality($0)) },
            correction: predicted > 0 ? measures[0].kl / predicted : 1)
    }

    /// Measures `refined`, the winner's plan with its weights refined, which the packer has; it ships where it is better.
    func verify(refined: Plan, of outcome: inout Outcome, packer: inout PlanPacker) throws {
        let quality = try measure([refined], packer: &packer)[0]
        guard quality.kl < outcome.quality.kl else { return }
        outcome.plan = refined
        outcome.quality = quality
    }

    /// Measures `plans`; what the store has is taken from there.
    private func measure(_ plans: [Plan], packer: inout PlanPacker) throws -> [QualityMeasure] {
        let execution = ExecutionMode(knapsack.profile)
        let mode = execution?.rawValue ?? "llama.cpp"
        let context = context.evaluationKey(text, mode: mode)
        let names = plans.map(\.digest)
        var known: [String: QualityEvaluation.Scores] = [:]
        for name in names {
            let numbers: [Double]? = try store.vector(name, in: context)
            known[name] = numbers.flatMap(QualityEvaluation.Scores.init(numbers:))
        }
        let missing = zip(plans, names).filter { known[$0.1] == nil }
        if !missing.isEmpty {
            var candidates: [IntegerModel] = []
            for (plan, _) in missing {
                candidates.append(
                    try packer.runtimeModel(of: plan, context: text.context, mode: execution ?? .dynamic))
            }
            let scores = try evaluation().run(candidates, progress: progress)
            packer.releaseExecutables()
            for (score, (_, name)) in zip(scores, missing) { known[name] = score }
            try store.put(
                Dictionary(zip(missing.map(\.1), scores.map(\.numbers)), uniquingKeysWith: { first, _ in first }),
                in: context)
        }
        return zip(names, plans).map { name, plan in
            (known[name] ?? QualityEvaluation.Scores()).measure(
                text: text, mode: mode, predictedKL: plan.predictedKL)
        }
    }

    private func sensitivity(_ chosen: [Int]) -> Double { knapsack.problem.totals(of: chosen).sensitivity }

    /// One format for every group, the head the same or 8 bits: those that keep the limits, the best predicted first.
    private func uniformCandidates(kv: Int) -> [Candidate] {
        let groups = knapsack.catalog.groups
        guard let first = groups.first(where: { $0.role == .layer }) else { return [] }
        let heads = groups.first { $0.role.isHead }?.choices.filter { $0.format.bits == 8 } ?? []
        var candidates: [(Candidate, Double)] = []
        for choice in first.choices {
            for head in [nil] + heads.map(Optional.some) {
                guard let chosen = knapsack.uniform(choice, head: head, kv: kv), knapsack.problem.isFeasible(chosen)
                else { continue }
                let name = head.map { "\(choice.name), head \($0.name)" } ?? choice.name
                candidates.append((Candidate(name: name, chosen: chosen), sensitivity(chosen)))
            }
        }
        candidates.sort { ($0.1, $0.0.name) < ($1.1, $1.0.name) }
        let limit = (candidates.first?.1 ?? 0) * Self.nearly
        return candidates.prefix(Self.uniformCandidates).filter { $0.1 <= limit }.map(\.0)
    }

    /// The largest of llama.cpp's presets that keeps the limits.
    private func ruleCandidate(kv: Int) -> Candidate? {
        guard knapsack.profile.runtime == .llamaCpp else { return nil }
        let layers = knapsack.model.configuration.layers
        for recipe in RuleRecipe.all {
            if let chosen = knapsack.recipe(kv: kv, { recipe.format(of: $0, layers: layers) }),
                knapsack.problem.isFeasible(chosen)
            {
                return Candidate(name: recipe.name, chosen: chosen)
            }
        }
        return nil
    }

    private func baseline(_ candidate: Candidate, _ quality: QualityMeasure) throws -> TuningResult.Baseline {
        TuningResult.Baseline(
            name: candidate.name, kl: quality.kl,
            residentBytes: Int(knapsack.problem.totals(of: candidate.chosen).resident),
            storedBytes: try knapsack.storedBytes(candidate.chosen))
    }
}
