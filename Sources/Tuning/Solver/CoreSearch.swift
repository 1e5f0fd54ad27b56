/// Exact search through what the Lagrangian bound leaves open, from both ends to the middle (after Horowitz and Sahni, 1974).
///
/// With multipliers m, a selection that keeps the limits costs L(m), plus the reduced cost of each of its items (how far the
/// item is from its group's minimum), plus m times the slack that it leaves. So a selection better than the best known one
/// has a total reduced cost below the gap G between that and L(m), and in each limit a slack below G / m. The open groups
/// are divided into two halves, the partial selections of each are listed by reduced cost, and pairs that leave such a
/// slack are looked up. Where a list is cut off, everything left out costs at least L(m) and the cut-off: a true bound.
struct CoreSearch {
    private let instance: KnapsackInstance
    private let peak: LagrangianDual.Point
    /// How far each item is from its group's minimum at the peak.
    private let reduced: [Double]

    /// What a search found.
    struct Outcome {
        /// The best selection, nil where none is better than the one known.
        var selection: [Int]?
        /// No selection that keeps the limits costs less.
        var bound: Double
        /// Whether every selection that may cost less was looked at.
        var isComplete = false
    }

    /// A search around the peak of the dual function.
    init(_ instance: KnapsackInstance, at peak: LagrangianDual.Point) {
        self.instance = instance
        self.peak = peak
        let count = instance.keys.count
        var costs = instance.values
        for item in costs.indices {
            for slot in 0..<count { costs[item] += peak.multipliers[slot] * instance.weights[item * count + slot] }
        }
        for group in 0..<instance.groups {
            let least = instance.items(of: group).reduce(Double.infinity) { min($0, costs[$1]) }
            for item in instance.items(of: group) { costs[item] -= least }
        }
        reduced = costs
    }

    /// Whether each item may be part of a selection that costs less than `value`.
    func isOpen(below value: Double) -> [Bool] { reduced.map { peak.bound + $0 < value } }

    /// The group that makes the bound low by mixing two items that are far apart: the one whose two best items, of those that may
    /// be part of a selection that costs less than `value`, differ most in what their weights are worth, the more so the
    /// nearer the second is to the best. Nil where no group has two.
    func widestGroup(below value: Double) -> Int? {
        let gap = value - peak.bound
        let count = instance.keys.count
        var widest: (group: Int, spread: Double)?
        for group in 0..<instance.groups {
            let items = instance.items(of: group).filter { reduced[$0] < gap }
                .sorted { (reduced[$0], $0) < (reduced[$1], $1) }
            guard items.count > 1 else { continue }
            let worth = items.prefix(2).map { item in
                (0..<count).reduce(0.0) { $0 + peak.multipliers[$1] * instance.weights[item * count + $1] }
            }
            let spread = abs(worth[1] - worth[0]) * (1 - reduced[items[1]] / gap)
            if spread > widest?.spread ?? -1 { widest = (group, spread) }
        }
        return widest?.group
    }

    /// Looks for a selection that costs less than `incumbent`, with lists of at most `capacity` partial selections. `isStopped`
    /// ends it early.
    func search(below incumbent: Double, capacity: Int, isStopped: () -> Bool) -> Outcome {
        guard peak.bound < incumbent else { return Outcome(selection: nil, bound: incumbent, isComplete: true) }
        let core = OpenCore(instance, at: peak, reduced: reduced, below: incumbent)
        var halves = [PartialSelections](repeating: PartialSelections(scales: core.scales), count: 2)
        for items in core.groups {
            if isStopped() { return Outcome(selection: nil, bound: peak.bound) }
            let smaller = halves[0].count <= halves[1].count ? 0 : 1
            halves[smaller].add(items, below: incumbent - peak.bound, capacity: capacity)
        }
        var join = SelectionJoin(core: core, left: halves[0], right: halves[1])
        var value = incumbent
        var best: [Int]?
        // Pairs that the join's margin for rounding let through and that miss a limit after all.
        var missed = Double.infinity
        let complete = join.run(below: incumbent - peak.bound, isStopped: isStopped) { items, cost in
            let selection = core.selection(with: items)
            let found = instance.value(of: selection)
            guard instance.excess(instance.sums(of: selection)) <= 0 else {
                missed = min(missed, peak.bound + cost)
                return value - peak.bound
            }
            if found < value {
                value = found
                best = selection
            }
            return value - peak.bound
        }
        let cutoff = min(complete, halves[0].cutoff, halves[1].cutoff)
        let bound = min(value, missed, peak.bound + cutoff)
        return Outcome(selection: best, bound: bound, isComplete: bound >= value)
    }
}

/// What is left of an instance once all items are taken away that cannot be part of a better selection.
struct OpenCore {
    /// The open items of each group that has a choice left, ascending in reduced cost; groups with the nearest second item
    /// first.
    let groups: [[PartialSelections.Item]]
    /// The limits that open items can exceed, as indices into the instance's keys.
    let slots: [Int]
    /// The range of each of their sums.
    let scales: [Double]
    /// The multiplier of each.
    let multipliers: [Double]
    /// What the open groups' items may add to each, above their group's least.
    let room: [Double]
    /// The only item of each closed group, and the first of each open one.
    private let base: [Int]
    /// The group of each item.
    private let groupOf: [Int]

    init(_ instance: KnapsackInstance, at peak: LagrangianDual.Point, reduced: [Double], below value: Double) {
        let count = instance.keys.count
        var base: [Int] = []
        var groupOf = [Int](repeating: 0, count: instance.values.count)
        var open: [[Int]] = []
        var least = instance.fixed
        var most = instance.fixed
        var lows: [[Double]] = []
        for group in 0..<instance.groups {
            let sorted = instance.items(of: group).sorted { (reduced[$0], $0) < (reduced[$1], $1) }
            // The group's minimum stays in any case: rounding must not leave a group empty.
            let items = sorted.enumerated().filter { $0.offset == 0 || peak.bound + reduced[$0.element] < value }.map(
                \.element)
            for item in instance.items(of: group) { groupOf[item] = group }
            base.append(items[0])
            let low = (0..<count).map { slot in
                items.reduce(Double.infinity) { min($0, instance.weights[$1 * count + slot]) }
            }
            let high = (0..<count).map { slot in
                items.reduce(-Double.infinity) { max($0, instance.weights[$1 * count + slot]) }
            }
            for slot in 0..<count {
                least[slot] += low[slot]
                most[slot] += high[slot]
            }
            guard items.count > 1 else { continue }
            open.append(items)
            lows.append(low)
        }
        // A price keeps its limit in: slack costs.
        let slots = (0..<count).filter { most[$0] > instance.limits[$0] || peak.multipliers[$0] > 0 }
        self.slots = slots
        scales = slots.map { most[$0] - least[$0] }
        multipliers = slots.map { peak.multipliers[$0] }
        room = slots.map { instance.limits[$0] - least[$0] }
        groups = zip(open, lows).map { items, low in
            items.map { item in
                PartialSelections.Item(
                    index: item, reduced: reduced[item],
                    weights: slots.map { instance.weights[item * count + $0] - low[$0] })
            }
        }.sorted { ($0[1].reduced, $0[1].index) < ($1[1].reduced, $1[1].index) }
        self.base = base
        self.groupOf = groupOf
    }

    /// The whole selection that has `items` in the open groups.
    func selection(with items: [Int]) -> [Int] {
        var result = base
        for item in items { result[groupOf[item]] = item }
        return result
    }
}
