/// A part of an instance in which some groups have one item left.
struct SearchNode {
    /// The groups that are open.
    let instance: KnapsackInstance
    /// The objective of the fixed items.
    let offset: Double
    /// No selection of this part costs less.
    var bound: Double
    /// The maximum of the part's dual function; nil of the whole.
    var peak: LagrangianDual.Point?
    /// The item of each group of the whole that is fixed.
    private let fixed: [Int: Int]
    /// The open groups, as those of the whole.
    private let free: [Int]
    private let base: [Int]

    /// The whole of an instance, all groups open.
    init(_ instance: KnapsackInstance) {
        self.instance = instance
        offset = 0
        bound = -.infinity
        fixed = [:]
        free = Array(0..<instance.groups)
        base = free.map { instance.items(of: $0).lowerBound }
    }

    /// The part of `node` in which `group` has `item`, both as `node.instance` counts them.
    init(_ node: SearchNode, fixing group: Int, to item: Int, of whole: KnapsackInstance, near selection: [Int]) {
        let own = node.free[group]
        let chosen = node.fixed.isEmpty ? item : node.instance.choice(of: item)
        var fixed = node.fixed
        fixed[own] = chosen
        var base = selection
        for (group, item) in fixed { base[group] = item }
        self.fixed = fixed
        self.base = base
        free = node.free.filter { $0 != own }
        instance = KnapsackInstance(whole, free: free, selection: base)
        offset = node.offset + whole.values[chosen]
        bound = node.bound
    }

    /// The whole selection that has `items` in the open groups.
    func whole(_ items: [Int]) -> [Int] {
        var result = base
        for (group, item) in zip(free, items) { result[group] = instance.choice(of: item) }
        return result
    }
}
