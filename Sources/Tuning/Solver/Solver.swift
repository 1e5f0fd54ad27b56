/// Solves multiple-choice knapsacks: Lagrangian bound, repair and exchanges, then branch and bound over what is left.
///
/// The work is a function of the problem alone, so that the same problem has the same answer on every machine.
package struct Solver: Sendable {
    /// Nodes of the tree for each choice of the problem, at least `smallestTree` in all.
    private let nodesPerChoice: Int
    private static let smallestTree = 100_000
    /// Points of the dual function that are made into selections.
    private static let starts = 12

    /// A solver that looks at `nodesPerChoice` nodes for each choice of the problem; 0 leaves out branch and bound.
    package init(nodesPerChoice: Int = 400) {
        self.nodesPerChoice = nodesPerChoice
    }

    /// The best selection found, with its bound. Throws where no selection keeps the limits, or none is found.
    package func solve(_ problem: Problem) throws(Infeasibility) -> Solution {
        let instance = KnapsackInstance(problem)
        let unattainable = Self.unattainable(instance)
        if !unattainable.isEmpty {
            throw Self.infeasibility(problem, instance, unattainable: unattainable, isProven: true)
        }
        let dual = LagrangianDual(instance: instance)
        var search = LocalSearch(instance)
        var incumbent: [Int]?
        var value = Double.infinity
        func offer(_ selection: [Int]) {
            guard instance.excess(instance.sums(of: selection)) <= 0, instance.value(of: selection) < value else {
                return
            }
            incumbent = selection
            value = instance.value(of: selection)
        }
        var way: [LagrangianDual.Point] = []
        let peak = dual.maximum { way.append($0) }
        // Near the peak, selections miss the limits by little: the last points give the best starts.
        for point in way.suffix(Self.starts) {
            offer(search.improved(search.repaired(point.selection), pairs: false))
        }
        if incumbent == nil {
            for slot in instance.keys.indices { offer(search.repaired(instance.cheapest(slot))) }
        }

        let reduced = BranchAndBound.reducedCosts(instance, at: peak)
        func close() {
            for item in reduced.indices { search.isOpen[item] = peak.bound + reduced[item] < value }
            // The incumbent's own items stay, for exchanges that keep some of them.
            for item in incumbent ?? [] { search.isOpen[item] = true }
        }
        close()
        if let selection = incumbent {
            offer(search.improved(selection, pairs: true))
            close()
        }
        var bound = peak.bound
        var isComplete = false
        if nodesPerChoice > 0 {
            let tree = BranchAndBound(instance, at: peak, reduced: reduced, isOpen: search.isOpen)
            let nodes = max(Self.smallestTree, nodesPerChoice * instance.values.count)
            let outcome = tree.search(below: value, nodes: nodes)
            if let better = outcome.selection { offer(better) }
            isComplete = outcome.isComplete
            if isComplete { bound = value }
        }
        guard let incumbent else {
            throw Self.infeasibility(problem, instance, unattainable: [], isProven: isComplete)
        }
        var prices = Costs()
        for (slot, key) in instance.keys.enumerated() {
            // The search leaves a trace of a multiplier where a limit does not bind.
            let isTrace = peak.multipliers[slot] * instance.scales[slot] < 1e-6 * instance.valueScale
            prices[key] = isTrace ? 0 : peak.multipliers[slot]
        }
        return Solution(chosen: incumbent.map { instance.choice(of: $0) }, value: value, bound: bound, prices: prices)
    }

    /// Limits that the cheapest choice of every group exceeds.
    private static func unattainable(
        _ instance: KnapsackInstance
    ) -> [Infeasibility.Shortfall] {
        instance.keys.indices.compactMap { slot in
            let least = instance.sums(of: instance.cheapest(slot))[slot]
            guard least > instance.limits[slot] else { return nil }
            return Infeasibility.Shortfall(key: instance.keys[slot], limit: instance.limits[slot], least: least)
        }
    }

    private static func infeasibility(
        _ problem: Problem, _ instance: KnapsackInstance, unattainable: [Infeasibility.Shortfall], isProven: Bool
    ) -> Infeasibility {
        let search = LocalSearch(instance)
        let starts = instance.keys.indices.map { search.repaired(instance.cheapest($0)) }
        let nearest =
            starts.min { instance.excess(instance.sums(of: $0)) < instance.excess(instance.sums(of: $1)) } ?? []
        let chosen = nearest.map { instance.choice(of: $0) }
        let totals = problem.totals(of: chosen)
        let missed = instance.keys.compactMap { key -> Infeasibility.Shortfall? in
            guard let limit = problem.limits[key], totals[key] > limit else { return nil }
            return Infeasibility.Shortfall(key: key, limit: limit, least: totals[key])
        }
        return Infeasibility(
            unattainable: unattainable, nearest: missed, nearestChosen: chosen, isProven: isProven)
    }
}
