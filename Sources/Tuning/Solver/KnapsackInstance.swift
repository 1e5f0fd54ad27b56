/// A problem without dominated choices, in flat arrays: what the solver's parts work on.
struct KnapsackInstance {
    /// The keys that have a limit.
    let keys: [CostKey]
    /// What every selection adds to each limited cost.
    let fixed: [Double]
    /// The limit of each.
    let limits: [Double]
    /// Sum over groups of the range of each limited cost: the natural unit of its multiplier.
    let scales: [Double]
    /// Sum over groups of the range of the objective.
    let valueScale: Double
    /// Items of group g are `items(of: g)`.
    private let starts: [Int]
    /// The objective of each item.
    let values: [Double]
    /// keys.count numbers for each item.
    let weights: [Double]
    /// The choice of the problem that each item is.
    private let choices: [Int]

    var groups: Int { starts.count - 1 }

    /// The choice of the problem that `item` is.
    func choice(of item: Int) -> Int { choices[item] }

    func items(of group: Int) -> Range<Int> { starts[group]..<starts[group + 1] }

    init(_ problem: Problem) {
        let keys = CostKey.allCases.filter { problem.limits[$0] != nil }
        var starts = [0]
        var values: [Double] = []
        var weights: [Double] = []
        var choices: [Int] = []
        var scales = [Double](repeating: 0, count: keys.count)
        var valueScale = 0.0
        for group in problem.groups {
            let kept = Self.undominated(group.choices, by: [problem.objective] + keys)
            for index in kept {
                let costs = group.choices[index].costs
                values.append(costs[problem.objective])
                weights += keys.map { costs[$0] }
                choices.append(index)
            }
            starts.append(choices.count)
            func range(_ key: CostKey) -> Double {
                let numbers = kept.map { group.choices[$0].costs[key] }
                return (numbers.max() ?? 0) - (numbers.min() ?? 0)
            }
            valueScale += range(problem.objective)
            for (slot, key) in keys.enumerated() { scales[slot] += range(key) }
        }
        self.keys = keys
        fixed = keys.map { problem.fixed[$0] }
        limits = keys.map { problem.limits[$0] ?? .infinity }
        self.scales = scales.map { $0 > 0 ? $0 : 1 }
        self.valueScale = valueScale > 0 ? valueScale : 1
        self.starts = starts
        self.values = values
        self.weights = weights
        self.choices = choices
    }

    /// Indices of the choices that no other one of the group matches or beats in every key; of equal ones the first.
    private static func undominated(_ choices: [Problem.Option], by keys: [CostKey]) -> [Int] {
        choices.indices.filter { candidate in
            !choices.indices.contains { other in
                guard other != candidate else { return false }
                let left = choices[other].costs
                let right = choices[candidate].costs
                guard keys.allSatisfy({ left[$0] <= right[$0] }) else { return false }
                return other < candidate || keys.contains { left[$0] < right[$0] }
            }
        }
    }

    /// `fixed` and the limited costs of the given items, added in group order as `Problem.totals` does.
    func sums(of selection: [Int]) -> [Double] {
        var result = fixed
        for item in selection {
            for slot in keys.indices { result[slot] += weights[item * keys.count + slot] }
        }
        return result
    }

    /// The objective of the given items.
    func value(of selection: [Int]) -> Double { selection.reduce(0) { $0 + values[$1] } }

    /// How far `sums` are over the limits, each in its scale.
    func excess(_ sums: [Double]) -> Double {
        var result = 0.0
        for slot in keys.indices { result += max(0, sums[slot] - limits[slot]) / scales[slot] }
        return result
    }

    /// The item of each group that has the least of one limited cost.
    func cheapest(_ slot: Int) -> [Int] {
        (0..<groups).compactMap { group in
            items(of: group).min { weights[$0 * keys.count + slot] < weights[$1 * keys.count + slot] }
        }
    }
}
