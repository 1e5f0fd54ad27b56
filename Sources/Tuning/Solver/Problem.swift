/// A multiple-choice knapsack: one choice for every group, so that the sum of the objective is least and every other sum,
/// with `fixed` added, keeps its limit. Encodes as the instance that `fettle tune --problem` writes (design.md, section 10).
package struct Problem: Sendable, Equatable, Codable {
    /// Choices of which exactly one is taken.
    package struct Group: Sendable, Equatable, Codable {
        package var name: String
        package var choices: [Option]

        package init(name: String, choices: [Option]) {
            self.name = name
            self.choices = choices
        }
    }

    /// One choice of a group with what it adds.
    package struct Option: Sendable, Equatable {
        package var name: String
        package var costs: Costs

        package init(name: String, costs: Costs) {
            self.name = name
            self.costs = costs
        }
    }

    /// Upper limits on sums; nil is no limit. A limit on the objective itself binds too.
    package struct Limits: Sendable, Equatable {
        private var values: [CostKey: Double]

        package init(_ values: [CostKey: Double] = [:]) {
            self.values = values
        }

        /// The limit of `key`.
        package subscript(key: CostKey) -> Double? {
            get { values[key] }
            set { values[key] = newValue }
        }

        /// Whether every sum is within its limit.
        func allow(_ sums: Costs) -> Bool {
            CostKey.allCases.allSatisfy { key in self[key].map { sums[key] <= $0 } ?? true }
        }
    }

    package var groups: [Group]
    /// What every plan costs, whatever is chosen.
    package var fixed: Costs
    package var limits: Limits
    /// The key that is minimised.
    package var objective: CostKey

    package init(groups: [Group], fixed: Costs, limits: Limits, objective: CostKey) {
        self.groups = groups
        self.fixed = fixed
        self.limits = limits
        self.objective = objective
    }

    /// The problem itself, where a solver can work on it: every group has a choice and every number is one.
    package func checked() throws(TuningError) -> Problem {
        for group in groups {
            guard !group.choices.isEmpty else {
                throw TuningError(.badInput, place: group.name, "has no choice; give it at least one")
            }
            for choice in group.choices where CostKey.allCases.contains(where: { !choice.costs[$0].isFinite }) {
                throw TuningError(.badInput, place: "\(group.name), \(choice.name)", "has a cost that is no number")
            }
        }
        return self
    }

    /// The sums over groups of the given choices, `fixed` included, added in the order of the groups.
    package func totals(of chosen: [Int]) -> Costs {
        var sums = fixed
        for (group, index) in zip(groups, chosen) { sums += group.choices[index].costs }
        return sums
    }

    /// Whether the given choices keep every limit.
    package func isFeasible(_ chosen: [Int]) -> Bool {
        limits.allow(totals(of: chosen))
    }
}

extension Problem.Option: Codable {
    private enum NameKey: String, CodingKey { case name }

    package init(from decoder: any Decoder) throws {
        name = try decoder.container(keyedBy: NameKey.self).decode(String.self, forKey: .name)
        costs = try Costs(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NameKey.self)
        try container.encode(name, forKey: .name)
        try costs.encode(to: encoder)
    }
}

extension Problem.Limits: Codable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ key: CostKey) { stringValue = key.rawValue }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init()
        for key in CostKey.allCases { self[key] = try container.decodeIfPresent(Double.self, forKey: Key(key)) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for key in CostKey.allCases { try container.encode(self[key], forKey: Key(key)) }
    }
}
