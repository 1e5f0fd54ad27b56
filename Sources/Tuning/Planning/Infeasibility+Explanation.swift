internal import DeviceProfiles
internal import Foundation

extension Infeasibility {
    /// In words: which constraints conflict, by how much each would have to give, and what the nearest plan is.
    func explanation(profile: DeviceProfile, problem: Problem) -> String {
        var parts: [String] = []
        if unattainable.isEmpty {
            parts.append(
                "each limit can be met alone, but "
                    + (isProven ? "not all together" : "no plan was found that meets all"))
        }
        for shortfall in unattainable {
            parts.append(
                "\(Self.name(shortfall.key)) of \(Self.amount(shortfall.limit, shortfall.key)) is out of reach: the cheapest "
                    + "plan needs \(Self.amount(shortfall.least, shortfall.key)), "
                    + "\(Self.amount(shortfall.least - shortfall.limit, shortfall.key)) more")
        }
        if !nearest.isEmpty {
            let missed = nearest.map {
                "\(Self.name($0.key)) by \(Self.amount($0.least - $0.limit, $0.key))"
            }
            let totals = problem.totals(of: nearestChosen)
            parts.append(
                "the nearest plan misses " + missed.joined(separator: " and ") + " at a predicted KL of "
                    + Self.amount(totals.sensitivity, .sensitivity))
        }
        return parts.joined(separator: "; ") + "; raise these limits, or take the nearest plan with --nearest"
    }

    private static func name(_ key: CostKey) -> String {
        switch key {
        case .sensitivity: "quality.goal"
        case .resident: "memory.budget"
        case .stored: "memory.storage"
        case .prefill: "latency.prefill"
        case .decode: "latency.decode"
        case .energy: "energy.goal"
        }
    }

    private static func amount(_ number: Double, _ key: CostKey) -> String {
        switch key {
        case .resident, .stored: "\(Int(number.rounded(.up))) B"
        default: String(format: "%.4g ", number) + key.unit
        }
    }
}
