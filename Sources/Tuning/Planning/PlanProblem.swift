internal import DeviceProfiles
internal import Foundation
internal import ModelFiles
internal import Quantization

/// A profile's knapsack for one model, and the way back from its solutions to plans.
struct PlanProblem {
    let profile: DeviceProfile
    let model: Model
    let catalog: ChoiceCatalog
    let cost: CostModel
    private(set) var problem: Problem

    /// Builds the knapsack: the KV cache first, then every group in order of execution. Throws where a goal needs a
    /// parameter that the profile does not give, or a choice has no score.
    init(
        profile: DeviceProfile, model: Model, catalog: ChoiceCatalog, scores: Scores, cost: CostModel
    ) throws {
        self.profile = profile
        self.model = model
        self.catalog = catalog
        self.cost = cost
        var groups: [Problem.Group] = []
        groups.append(
            Problem.Group(
                name: Scores.cacheGroup,
                choices: try catalog.kvFormats.map { format in
                    var costs = cost.costs(ofCache: format)
                    costs.sensitivity = try scores.sensitivity(Scores.cacheGroup, format)
                    return Problem.Option(name: format, costs: costs)
                }))
        for group in catalog.groups {
            groups.append(
                Problem.Group(
                    name: group.name,
                    choices: try group.choices.map { choice in
                        var costs = cost.costs(of: choice, for: group)
                        costs.sensitivity = try scores.sensitivity(group.name, choice.name)
                        return Problem.Option(name: choice.name, costs: costs)
                    }))
        }
        var fixed = cost.fixedTime
        fixed.resident = Double(
            cost.fixedResidentBytes + (profile.runtime == .llamaCpp ? Self.normBytes(model) : 0))
        fixed.stored = Double(try StoredBytes(model: model, catalog: catalog, runtime: profile.runtime).fixed(cost))
        problem = Problem(groups: groups, fixed: fixed, limits: try Self.limits(profile), objective: .sensitivity)
        if let limit = QualityLimit.first(for: profile) {
            problem.objective = Self.objective(profile.prefer)
            problem.limits[.sensitivity] = limit
        }
    }

    /// Puts another limit on the sum of sensitivities, where another cost is minimised.
    mutating func limitSensitivity(to limit: Double) { problem.limits[.sensitivity] = limit }

    /// Replaces the score of every choice.
    mutating func mapSensitivities(_ map: (_ name: ScoreName, _ score: Double) -> Double) {
        for group in problem.groups.indices {
            for choice in problem.groups[group].choices.indices {
                let option = problem.groups[group].choices[choice]
                problem.groups[group].choices[choice].costs.sensitivity = map(
                    ScoreName(group: problem.groups[group].name, choice: option.name), option.costs.sensitivity)
            }
        }
    }

    private static func objective(_ preference: Preference) -> CostKey {
        switch preference {
        case .quality: .sensitivity
        case .latency: .decode
        case .memory: .resident
        case .energy: .energy
        }
    }

    /// The limits of a profile. Throws for a goal that needs a parameter which is not there.
    static func limits(_ profile: DeviceProfile) throws(TuningError) -> Problem.Limits {
        let needs: [(goal: String, value: Double?, parameter: String, isGiven: Bool)] = [
            ("latency.prefill", profile.latency.prefillGoal, "compute.throughput", hasThroughput(profile)),
            ("latency.decode", profile.latency.decodeGoal, "memory.bandwidth", profile.memory.bandwidth != nil),
            ("energy.goal", profile.energy.goal, "energy.dram", profile.energy.dram != nil),
        ]
        for need in needs where need.value != nil && !need.isGiven {
            throw TuningError(
                .badInput, place: profile.name, "\(need.goal) needs \(need.parameter), which the profile does not give")
        }
        var limits = Problem.Limits()
        limits[.resident] = profile.memory.budget.map { Double($0 - profile.memory.runtime) }
        limits[.stored] = profile.memory.storage.map(Double.init)
        limits[.prefill] = profile.latency.prefillGoal
        limits[.decode] = profile.latency.decodeGoal
        limits[.energy] = profile.energy.goal
        return limits
    }

    private static func hasThroughput(_ profile: DeviceProfile) -> Bool {
        profile.compute.int8Throughput != nil || profile.compute.floatThroughput != nil || !profile.kernels.isEmpty
    }

    /// Norms stay float32 in llama.cpp's memory; Fettle's runtime counts them in its arena.
    private static func normBytes(_ model: Model) -> Int {
        TensorName.all(of: model.configuration)
            .compactMap { model.tensors[$0] }.filter { $0.rows == 1 }.reduce(0) { $0 + 4 * $1.columns }
    }
}

/// The limit on predicted KL that stands for a profile's quality goal where another cost is minimised.
enum QualityLimit {
    /// Agreement of the first token falls by about this much for the square root of a nat (SmolLM2-135M, llama.cpp's presets:
    /// 0.58 at 0.025 nats, 0.60 at 0.089). Only a start: measurements correct the limit.
    private static let disagreement = 0.6

    /// The first limit to try; nil where quality itself is optimised.
    static func first(for profile: DeviceProfile) -> Double? {
        guard profile.prefer != .quality, let goal = profile.quality.goal else { return nil }
        return switch profile.quality.metric {
        case .kl: goal
        case .perplexity: log1p(goal)
        case .top1: ((1 - goal) / disagreement) * ((1 - goal) / disagreement)
        }
    }
}
