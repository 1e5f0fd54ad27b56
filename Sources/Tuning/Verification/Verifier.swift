internal import DeviceProfiles
internal import Foundation
internal import ModelFiles
internal import Quantization

/// Measures a plan and its baselines on the integer runtime, and sees to it that what ships is the best of them.
struct Verifier {
    let knapsack: PlanProblem
    /// The knapsack before its scores were corrected: it ranks the uniform plans, so that these do not depend on exchanges.
    let plain: PlanProblem
    let measurement: PlanMeasurement
    /// Whether baselines are measured too.
    let measuresBaselines: Bool
    /// Draws the intervals of differences.
    let seed: UInt64

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
        /// What the baselines did, for differences.
        fileprivate var uniformScores: QualityEvaluation.Scores?
        fileprivate var ruleScores: QualityEvaluation.Scores?
    }

    /// Uniform plans that are measured: the best predicted, and another one where that is nearly as good. Scores rank them well
    /// enough for that.
    private static let uniformCandidates = 2
    private static let nearly = 1.2

    private struct Candidate {
        var name: String
        var chosen: [Int]
    }

    /// Measures the plan of `chosen`, another one from before its exchanges where there is one, and the baselines that fit the
    /// limits.
    func verify(_ chosen: [Int], before: [Int], packer: inout PlanPacker) throws -> Outcome {
        let uniform = measuresBaselines ? uniformCandidates(kv: chosen[0]) : []
        let rule = measuresBaselines ? ruleCandidate(kv: chosen[0]) : nil
        var distinct = [chosen]
        for candidate in [before] + (uniform + [rule].compactMap(\.self)).map(\.chosen)
        where !distinct.contains(candidate) {
            distinct.append(candidate)
        }
        let plans = distinct.map(knapsack.plan)
        let scores = try measurement.scores(of: plans, packer: &packer)
        func score(_ candidate: Candidate) -> QualityEvaluation.Scores {
            scores[distinct.firstIndex(of: candidate.chosen) ?? 0]
        }
        // Where another cost is minimised, the plan's is the least of all, and quality a goal that is looked after elsewhere.
        let isBest = knapsack.problem.objective == .sensitivity
        let winner = isBest ? distinct.indices.min { scores[$0].mean < scores[$1].mean } ?? 0 : 0
        let predicted = sensitivity(chosen)
        var outcome = Outcome(
            chosen: distinct[winner], plan: plans[winner], quality: quality(scores[winner], plans[winner]),
            correction: predicted > 0 ? scores[0].mean / predicted : 1)
        if let best = uniform.min(by: { score($0).mean < score($1).mean }) {
            outcome.uniform = try baseline(best, score(best))
            outcome.uniformScores = score(best)
        }
        if let rule {
            outcome.rule = try baseline(rule, score(rule))
            outcome.ruleScores = score(rule)
        }
        compare(&outcome, scores[winner])
        return outcome
    }

    /// Measures `refined`, a plan of `chosen` with its weights refined, which the packer has. It ships where it is better than what was
    /// found without; the result says whether it is.
    func verify(
        _ refined: Plan, choosing chosen: [Int], after outcome: inout Outcome, packer: inout PlanPacker
    ) throws -> Bool {
        let scores = try measurement.scores(of: [outcome.plan, refined], packer: &packer)
        guard scores[1].mean < scores[0].mean else { return false }
        let reason = String(
            format: outcome.chosen == chosen
                ? "refining all takes the plan from %.4f to %.4f nats"
                : "without refinement the best plan has %.4f nats, this one refined throughout %.4f",
            scores[0].mean, scores[1].mean)
        let before = outcome.plan.choices
        outcome.plan = refined
        outcome.chosen = chosen
        for (index, group) in refined.groups.enumerated()
        where group.tensors.contains(where: { before[$0]?.refinement != group.choice.refinement }) {
            outcome.plan.groups[index].why += "; \(group.choice.refinement): \(reason)"
        }
        outcome.quality = quality(scores[1], refined)
        compare(&outcome, scores[1])
        return true
    }

    /// Notes how the plan that ships differs from its baselines.
    private func compare(_ outcome: inout Outcome, _ plan: QualityEvaluation.Scores) {
        func difference(_ scores: QualityEvaluation.Scores?) -> PairedDifference? {
            scores.map { PairedDifference(of: plan.divergences, less: $0.divergences, seed: seed) }
        }
        outcome.uniform?.difference = difference(outcome.uniformScores)
        outcome.rule?.difference = difference(outcome.ruleScores)
    }

    private func quality(_ scores: QualityEvaluation.Scores, _ plan: Plan) -> QualityMeasure {
        scores.measure(text: measurement.text, mode: measurement.mode, predictedKL: plan.predictedKL)
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
                candidates.append(
                    (Candidate(name: name, chosen: chosen), plain.problem.totals(of: chosen).sensitivity))
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

    private func baseline(_ candidate: Candidate, _ scores: QualityEvaluation.Scores) throws -> TuningResult.Baseline {
        TuningResult.Baseline(
            name: candidate.name, kl: scores.mean,
            residentBytes: Int(knapsack.problem.totals(of: candidate.chosen).resident),
            storedBytes: try knapsack.storedBytes(candidate.chosen))
    }
}
