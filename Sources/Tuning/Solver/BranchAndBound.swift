/// Depth-first search through the items that the Lagrangian bound leaves open.
///
/// With multipliers m, the value of any selection that keeps the limits is L(m), plus the reduced cost of each of its items
/// (how far the item is from its group's minimum), plus m times the slack it leaves: a partial selection whose sum reaches
/// the best known value cannot lead to a better one.
struct BranchAndBound {
    private let instance: KnapsackInstance
    private let base: LagrangianDual.Point
    /// The reduced cost of each item.
    private let reduced: [Double]
    /// Groups in the order in which they are decided, those with the most to lose first.
    private let order: [Int]
    /// Open items of each group, the least reduced cost first.
    private let items: [[Int]]
    /// For each depth and limit, the least and the most that the groups from there on can add.
    private let least: [[Double]]
    private let most: [[Double]]

    /// Reduced costs of all items at the point of the dual function.
    static func reducedCosts(_ instance: KnapsackInstance, at point: LagrangianDual.Point) -> [Double] {
        let count = instance.keys.count
        var costs = instance.values
        for item in costs.indices {
            for slot in 0..<count { costs[item] += point.multipliers[slot] * instance.weights[item * count + slot] }
        }
        for group in 0..<instance.groups {
            let least = instance.items(of: group).reduce(Double.infinity) { min($0, costs[$1]) }
            for item in instance.items(of: group) { costs[item] -= least }
        }
        return costs
    }

    /// A search among the items that are open.
    init(_ instance: KnapsackInstance, at point: LagrangianDual.Point, reduced: [Double], isOpen: [Bool]) {
        self.instance = instance
        base = point
        self.reduced = reduced
        items = (0..<instance.groups).map { group in
            instance.items(of: group).filter { isOpen[$0] }.sorted { (reduced[$0], $0) < (reduced[$1], $1) }
        }
        let second = items.map { $0.count > 1 ? reduced[$0[1]] : .infinity }
        order = (0..<instance.groups).sorted { (-second[$0], $0) < (-second[$1], $1) }
        var least = [[Double](repeating: 0, count: instance.keys.count)]
        var most = least
        for group in order.reversed() {
            var low = least[least.count - 1]
            var high = most[most.count - 1]
            for slot in instance.keys.indices {
                let weights = items[group].map { instance.weights[$0 * instance.keys.count + slot] }
                low[slot] += weights.min() ?? 0
                high[slot] += weights.max() ?? 0
            }
            least.append(low)
            most.append(high)
        }
        self.least = least.reversed()
        self.most = most.reversed()
    }

    /// What a search found.
    struct Outcome {
        /// The best selection, nil where none is better than the one known.
        var selection: [Int]?
        /// Whether the whole tree was seen: then nothing better exists.
        var isComplete: Bool
    }

    /// Looks for a selection better than `incumbent`, in at most `nodes` nodes.
    func search(below incumbent: Double, nodes: Int) -> Outcome {
        let count = instance.keys.count
        let depths = order.count
        var best = incumbent
        var found: [Int]?
        var selection = [Int](repeating: 0, count: depths)
        // At each depth: the item tried next, the reduced cost and the sums so far.
        var next = [Int](repeating: 0, count: depths + 1)
        var cost = [Double](repeating: 0, count: depths + 1)
        var sums = instance.fixed + [Double](repeating: 0, count: depths * count)
        var depth = 0
        var visited = 0
        while depth >= 0 {
            if depth == depths {
                let value = instance.value(of: selection)
                let total = instance.sums(of: selection)
                if value < best, zip(total, instance.limits).allSatisfy({ $0 <= $1 }) {
                    best = value
                    found = selection
                }
                depth -= 1
                continue
            }
            let group = order[depth]
            guard next[depth] < items[group].count else {
                depth -= 1
                continue
            }
            let item = items[group][next[depth]]
            next[depth] += 1
            visited += 1
            if visited > nodes { return Outcome(selection: found, isComplete: false) }
            let reached = cost[depth] + reduced[item]
            if base.bound + reached >= best {
                next[depth] = items[group].count
                continue
            }
            var bound = base.bound + reached
            var fits = true
            for slot in 0..<count {
                let sum = sums[depth * count + slot] + instance.weights[item * count + slot]
                sums[(depth + 1) * count + slot] = sum
                let limit = instance.limits[slot]
                // Leaves decide by exact sums; this margin only keeps rounding from closing a branch too early.
                if sum + least[depth + 1][slot] > limit + 1e-9 * instance.scales[slot] { fits = false }
                bound += base.multipliers[slot] * max(0, limit - sum - most[depth + 1][slot])
            }
            guard fits, bound < best else { continue }
            selection[group] = item
            cost[depth + 1] = reached
            depth += 1
            next[depth] = 0
        }
        return Outcome(selection: found, isComplete: true)
    }
}
