internal import Compute

/// One search: the dual bound, selections near it, and what closes the gap between them.
struct KnapsackSearch {
    let instance: KnapsackInstance
    /// The maximum of the Lagrangian bound.
    let peak: LagrangianDual.Point
    /// The objective of the best selection.
    private(set) var value = Double.infinity
    /// No selection that keeps the limits costs less.
    private(set) var bound: Double
    private var incumbent: [Int]?
    private var local: LocalSearch
    /// The last points on the way to the peak.
    private let way: [LagrangianDual.Point]
    private let isStopped: () -> Bool

    /// Points of the dual function that are made into selections.
    private static let starts = 12
    /// Groups that a neighbourhood opens at first, and the longest lists in it.
    private static let neighbourhood = 24
    private static let neighbourhoodCapacity = 1 << 12

    /// A search on `instance`, whose dual's maximum is near `near` where that is known.
    init(_ instance: KnapsackInstance, near: [Double]? = nil, isStopped: @escaping () -> Bool) {
        self.instance = instance
        self.isStopped = isStopped
        local = LocalSearch(instance)
        var way: [LagrangianDual.Point] = []
        peak = LagrangianDual(instance: instance).maximum(near: near) { way.append($0) }
        self.way = way.suffix(Self.starts)
        bound = peak.bound
    }

    /// Finds selections near the bound: from `start`, from points near the peak, and where that fails from the cheapest items.
    mutating func begin(from start: [Int]?) {
        // Near the peak, selections miss the limits by little: the last points give the best starts.
        for point in way { offer(local.improved(local.repaired(point.selection), pairs: false)) }
        if let start { offer(local.improved(start, pairs: false)) }
        if incumbent == nil {
            for slot in instance.keys.indices { offer(local.repaired(instance.cheapest(slot))) }
        }
    }

    /// Closes the gap as far as `effort` goes. Returns the best selection, nil where none is known.
    mutating func close(_ effort: Solver.Effort) -> [Int]? {
        guard incumbent != nil else { return nil }
        let core = CoreSearch(instance, at: peak)
        improve(core)
        bound = min(bound, value)
        guard let limits = effort.limits else { return incumbent }
        for capacity in [limits.capacity / 8, limits.capacity] where bound < value && !isStopped() {
            let outcome = core.search(below: value, capacity: capacity, isStopped: isStopped)
            if let better = outcome.selection { offer(better) }
            bound = max(bound, outcome.bound)
            if outcome.selection != nil, bound < value { improve(core) }
            bound = min(bound, value)
        }
        if bound < value {
            searchNeighbourhoods(limits.neighbourhoods, seed: 1)
            branch(limits)
        }
        return incumbent
    }

    /// Fixes one group after another, where a group's items are so far apart that the bound's mixtures of them lie too low: the
    /// subtree with the least bound is searched next.
    private mutating func branch(_ limits: Solver.Effort.Limits) {
        var open = [SearchNode(instance)]
        var count = 0
        while let place = open.indices.min(by: { open[$0].bound < open[$1].bound }), open[place].bound < value,
            count < limits.nodes, !isStopped()
        {
            let node = open[place]
            guard let children = expand(node, limits, &count) else { break }
            open.remove(at: place)
            open += children
            open.removeAll { $0.bound >= value }
        }
        bound = max(bound, open.reduce(value) { min($0, $1.bound) })
    }

    /// The parts of a node that may hold something better; nil where the search was stopped.
    private mutating func expand(
        _ node: SearchNode, _ limits: Solver.Effort.Limits, _ count: inout Int
    ) -> [SearchNode]? {
        guard let selection = incumbent else { return nil }
        let peak = node.peak ?? peak
        let core = CoreSearch(node.instance, at: peak)
        let isOpen = core.isOpen(below: value - node.offset)
        guard let group = core.widestGroup(below: value - node.offset) else { return [] }
        var children: [SearchNode] = []
        for item in node.instance.items(of: group) where isOpen[item] {
            if isStopped() { return nil }
            count += 1
            var child = SearchNode(node, fixing: group, to: item, of: instance, near: selection)
            var search = KnapsackSearch(child.instance, near: peak.multipliers, isStopped: isStopped)
            child.peak = search.peak
            child.bound = max(node.bound, child.offset + search.bound)
            guard child.bound < value else { continue }
            search.begin(from: nil)
            if let found = search.incumbent { offer(child.whole(found)) }
            let outcome = CoreSearch(child.instance, at: search.peak)
                .search(below: value - child.offset, capacity: limits.capacity, isStopped: isStopped)
            if let better = outcome.selection { offer(child.whole(better)) }
            child.bound = max(child.bound, child.offset + outcome.bound)
            if child.bound < value { children.append(child) }
        }
        return children
    }

    private mutating func offer(_ selection: [Int]) {
        guard instance.excess(instance.sums(of: selection)) <= 0, instance.value(of: selection) < value else { return }
        incumbent = selection
        value = instance.value(of: selection)
    }

    /// Exchanges among the items that may still be part of a better selection.
    private mutating func improve(_ core: CoreSearch) {
        guard let selection = incumbent else { return }
        local.isOpen = core.isOpen(below: value)
        // The incumbent's own items stay, for exchanges that keep some of them.
        for item in selection { local.isOpen[item] = true }
        offer(local.improved(selection, pairs: true))
    }

    /// Opens some groups at a time, drawn from `seed`, and solves for them what the others leave.
    private mutating func searchNeighbourhoods(_ count: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var size = min(Self.neighbourhood, instance.groups)
        for _ in 0..<count where !isStopped() {
            guard let selection = incumbent else { return }
            let free = Array((0..<instance.groups).shuffled(using: &generator).prefix(size)).sorted()
            let part = KnapsackInstance(instance, free: free, selection: selection)
            let own = free.map { selection[$0] }
            // The whole's multipliers are good enough for its parts.
            let outcome = CoreSearch(part, at: LagrangianDual(instance: part).point(at: peak.multipliers)).search(
                below: part.value(of: part.selection(own)), capacity: Self.neighbourhoodCapacity, isStopped: isStopped)
            if let better = outcome.selection {
                var whole = selection
                for (group, item) in zip(free, better) { whole[group] = part.choice(of: item) }
                offer(whole)
            }
            // As large as can be searched whole.
            size = outcome.isComplete ? min(size + 2, instance.groups) : max(4, size - 1)
        }
    }
}
