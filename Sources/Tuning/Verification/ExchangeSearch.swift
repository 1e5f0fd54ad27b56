internal import Foundation

/// Moves bits between kinds of groups within the limits, measures what that does, and keeps what measurably helps.
///
/// An exchange solves the knapsack again with the scores of one kind of group weighed more, so that the limits hold as they
/// did. All plans are measured on the calibration text, by counted steps; together they correct the scores, and the plan of
/// the corrected scores is measured too.
struct ExchangeSearch {
    /// The knapsack with the scores as they were measured, one choice at a time.
    let knapsack: PlanProblem
    let measurement: PlanMeasurement
    /// Plans that may be measured beside the first one.
    let steps: Int
    let seed: UInt64
    /// Asked before each plan is measured: whether there is no time for another one.
    let isStopped: () -> Bool

    /// What was found.
    struct Outcome {
        /// The knapsack with corrected scores, and its solution.
        var knapsack: PlanProblem
        var solution: Solution
        /// The best plan so far.
        var chosen: [Int]
        /// In words, the exchanges that were kept.
        var exchanges: [String] = []
    }

    /// How much more one kind's scores count in an exchange.
    private static let emphasis = 1.5
    /// Rounds of correcting the scores by everything that was measured.
    private static let corrections = 2

    private struct Measured {
        var chosen: [Int]
        var scores: QualityEvaluation.Scores
        var mean: Double { scores.mean }
    }

    /// Measures the plan of `solution` and exchanges from it.
    func run(_ solution: Solution, packer: inout PlanPacker) throws -> Outcome {
        var outcome = Outcome(knapsack: knapsack, solution: solution, chosen: solution.chosen)
        let isFree = knapsack.problem.groups.contains { $0.choices.count > 1 }
        guard steps > 0, isFree, !isStopped() else { return outcome }
        var plans = [Measured(chosen: solution.chosen, scores: try scores(solution.chosen, &packer))]
        var best = 0
        /// Measures a plan that was not measured yet, and keeps it where it is better.
        func consider(_ chosen: [Int], _ what: String) throws {
            guard !plans.contains(where: { $0.chosen == chosen }) else { return }
            plans.append(Measured(chosen: chosen, scores: try scores(chosen, &packer)))
            let difference = PairedDifference(
                of: plans[plans.count - 1].scores.divergences, less: plans[best].scores.divergences, seed: seed)
            guard difference.isImprovement else { return }
            outcome.exchanges.append(Self.words(what, from: plans[best].mean, difference))
            best = plans.count - 1
        }
        let kinds = GroupKind.allCases
        for kind in kinds.prefix(max(0, steps - Self.corrections)) where !isStopped() {
            let weights = kinds.map { $0 == kind ? Self.emphasis : 1 }
            guard let next = try? Solver().solve(knapsack.weighing(by: weights).problem) else { continue }
            try consider(next.chosen, "more for \(kind.rawValue)")
        }
        for _ in 0..<min(Self.corrections, steps) {
            let correction = ScoreCorrection(
                plans: plans.map { (knapsack.sensitivities(of: $0.chosen), $0.mean) }, kinds: kinds.count)
            outcome.knapsack = knapsack.weighing(by: correction.factors)
            outcome.solution = try Solver().solve(outcome.knapsack.problem)
            if isStopped() { break }
            try consider(outcome.solution.chosen, "corrected scores")
        }
        outcome.chosen = plans[best].chosen
        return outcome
    }

    private func scores(_ chosen: [Int], _ packer: inout PlanPacker) throws -> QualityEvaluation.Scores {
        try measurement.scores(of: [knapsack.plan(chosen)], packer: &packer)[0]
    }

    private static func words(_ what: String, from mean: Double, _ difference: PairedDifference) -> String {
        String(
            format: "%@: KL on the calibration text %.5f to %.5f (95 %% of the difference %.5f to %.5f)", what, mean,
            mean + difference.mean, difference.interval[0], difference.interval[1])
    }
}
