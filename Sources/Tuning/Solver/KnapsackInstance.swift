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
    /// The choice of the problem that each item is; of a part of an instance, the item of the whole.
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

    /// The part of `whole` in which only `free` groups are open; the others keep their items of `selection`.
    init(_ whole: KnapsackInstance, free: [Int], selection: [Int]) {
        let count = whole.keys.count
        keys = whole.keys
        limits = whole.limits
        scales = whole.scales
        valueScale = whole.valueScale
        let isFree = Set(free)
        var fixed = whole.fixed
        for (group, item) in selection.enumerated() where !isFree.contains(group) {
            for slot in 0..<count { fixed[slot] += whole.weights[item * count + slot] }
        }
        self.fixed = fixed
        choices = free.flatMap { Array(whole.items(of: $0)) }
        starts = free.reduce(into: [0]) { $0.append($0[$0.count - 1] + whole.items(of: $1).count) }
        values = choices.map { whole.values[$0] }
        weights = choices.flatMap { whole.weights[$0 * count..<($0 + 1) * count] }
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

    /// Items that are as good in every key as the given choices of `problem`: these, or ones that dominate them.
    func selection(_ chosen: [Int], of problem: Problem) -> [Int] {
        (0..<groups).map { group in
            let costs = problem.groups[group].choices[chosen[group]].costs
            return items(of: group).first { item in
                values[item] <= costs[problem.objective]
                    && keys.indices.allSatisfy { weights[item * keys.count + $0] <= costs[keys[$0]] }
            } ?? items(of: group).lowerBound
        }
    }

    /// The items that are the given choices; of a group that has none such, the first.
    func selection(_ chosen: [Int]) -> [Int] {
        (0..<groups).map { group in
            items(of: group).first { choices[$0] == chosen[group] } ?? items(of: group).lowerBound
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
