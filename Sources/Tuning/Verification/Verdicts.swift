internal import DeviceProfiles
internal import Foundation

/// Holds a plan's costs and measured quality against a profile's goals.
struct Verdicts {
    let profile: DeviceProfile
    /// The plan's predicted sums, `fixed` included; stored bytes are exact.
    let totals: Costs
    let quality: QualityMeasure
    let predictedKL: Double

    /// One verdict for every goal that the profile has. What only the bundle or the device can tell is left unmeasured.
    var all: [Verdict] {
        var result: [Verdict] = []
        func add(_ constraint: String, _ goal: Double?, _ key: CostKey) {
            guard let goal else { return }
            result.append(
                Verdict(
                    constraint: constraint, goal: goal, predicted: totals[key], measured: nil, unit: key.unit,
                    met: totals[key] <= goal))
        }
        add("memory.budget", profile.memory.budget.map { Double($0 - profile.memory.runtime) }, .resident)
        add("memory.storage", profile.memory.storage.map(Double.init), .stored)
        add("latency.prefill", profile.latency.prefillGoal, .prefill)
        add("latency.decode", profile.latency.decodeGoal, .decode)
        add("energy.goal", profile.energy.goal, .energy)
        if let goal = profile.quality.goal { result.append(qualityVerdict(goal)) }
        return result
    }

    /// What quality is, in the goal's own measure: nats, relative increase of perplexity, or agreement.
    static func measured(_ metric: QualityGoal.Metric, _ quality: QualityMeasure) -> Double {
        switch metric {
        case .kl: quality.kl
        case .perplexity: quality.perplexity / quality.referencePerplexity - 1
        case .top1: quality.top1
        }
    }

    /// Whether `measured` meets `goal`: agreement is met from below, the others from above.
    static func isMet(_ metric: QualityGoal.Metric, _ measured: Double, goal: Double) -> Bool {
        metric == .top1 ? measured >= goal : measured <= goal
    }

    private func qualityVerdict(_ goal: Double) -> Verdict {
        let metric = profile.quality.metric
        let measured = Self.measured(metric, quality)
        // Only KL is predicted; in the others the prediction is what was measured.
        return Verdict(
            constraint: "quality.goal", goal: goal, predicted: metric == .kl ? predictedKL : measured,
            measured: measured, unit: metric == .kl ? "nats" : "", met: Self.isMet(metric, measured, goal: goal))
    }
}
