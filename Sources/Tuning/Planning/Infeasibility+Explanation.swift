internal import Foundation

extension Infeasibility {
    /// In words: which constraints conflict, by how much each would have to give, and what the nearest plan is. Amounts are
    /// rounded up, so that giving what is written is enough. `reserved` bytes of the memory budget are not the model's.
    package func explanation(of problem: Problem, reserved: Int = 0) -> String {
        func total(_ number: Double, _ key: CostKey) -> Double { key == .resident ? number + Double(reserved) : number }
        var parts = unattainable.map { shortfall in
            "\(Self.name(shortfall.key)) of \(Self.exact(total(shortfall.limit, shortfall.key), shortfall.key)) is out of reach: the cheapest "
                + "plan needs \(Self.amount(total(shortfall.least, shortfall.key), shortfall.key)), \(Self.more(shortfall))"
        }
        if unattainable.isEmpty {
            let names = Self.list(conflict.map(Self.name), "and")
            parts.append(
                isProven
                    ? "\(names) cannot be met together, though each can alone"
                    : "no plan was found that meets \(names) together")
        }
        let alternatives = remedies.map {
            "\(Self.name($0.key)) to \(Self.amount(total($0.least, $0.key), $0.key)) (\(Self.more($0)))"
        }
        if !alternatives.isEmpty { parts.append("enough is raising \(Self.list(alternatives, "or"))") }
        if !nearest.isEmpty {
            let missed = nearest.map { "\(Self.name($0.key)) by \(Self.amount($0.least - $0.limit, $0.key))" }
            let sensitivity = problem.totals(of: nearestChosen).sensitivity
            parts.append(
                "the nearest plan misses \(Self.list(missed, "and")) at a predicted KL of "
                    + Self.amount(sensitivity, .sensitivity))
        }
        return parts.joined(separator: "; ") + "; raise these limits, or take the nearest plan with --nearest"
    }

    private static func more(_ shortfall: Shortfall) -> String {
        "\(amount(shortfall.least - shortfall.limit, shortfall.key)) more"
    }

    /// `a, b and c`.
    private static func list(_ words: [String], _ last: String) -> String {
        guard let end = words.last, words.count > 1 else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", ")) \(last) \(end)"
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

    /// `number` in its unit, rounded up to a whole byte or the fourth digit.
    private static func amount(_ number: Double, _ key: CostKey) -> String {
        guard key.unit != "B" else { return "\(Int(number.rounded(.up))) B" }
        guard number > 0 else { return exact(number, key) }
        let unit = pow(10, (log10(number)).rounded(.down) - 3)
        return String(format: "%.4g ", (number / unit).rounded(.up) * unit) + key.unit
    }

    private static func exact(_ number: Double, _ key: CostKey) -> String {
        key.unit == "B" ? "\(Int(number)) B" : String(format: "%.6g ", number) + key.unit
    }
}
