/// Solves multiple-choice knapsacks: Lagrangian bound, repair and exchanges, then an exact search through what is left.
///
/// The work is counted, never timed, so that the same problem has the same answer on every machine; only `isStopped` cuts it
/// short.
package struct Solver: Sendable {
    /// How much work is done to close the gap.
    package enum Effort: Sendable {
        /// None: a selection near the bound, in milliseconds.
        case near
        /// A tenth of a second for a few hundred groups.
        case usual
        /// Until the optimum is proven or memory for partial selections ends: seconds.
        case thorough

        /// Bounds of the exact search's parts.
        struct Limits {
            /// Partial selections in a list.
            var capacity: Int
            /// Neighbourhoods that are searched.
            var neighbourhoods: Int
            /// Nodes of the tree.
            var nodes: Int
        }

        /// The bounds; nil where there is no exact search.
        var limits: Limits? {
            switch self {
            case .near: nil
            case .usual: Limits(capacity: 1 << 13, neighbourhoods: 20, nodes: 60)
            case .thorough: Limits(capacity: 1 << 13, neighbourhoods: 20, nodes: 100_000)
            }
        }
    }

    private let effort: Effort
    private let isStopped: @Sendable () -> Bool

    /// A solver. Once `isStopped` is true, the best selection so far is returned with the bound so far.
    package init(effort: Effort = .usual, isStopped: @escaping @Sendable () -> Bool = { false }) {
        self.effort = effort
        self.isStopped = isStopped
    }

    /// The best selection found, with its bound. Throws where no selection keeps the limits, or none is found.
    package func solve(_ problem: Problem) throws(Infeasibility) -> Solution {
        if let solution = solution(problem, from: nil) { return solution }
        let search = FeasibilitySearch(problem: problem, solver: self)
        switch search.plan(keeping: search.limited) {
        case .kept(let chosen):
            // A selection that keeps the limits is there, so one is found.
            if let solution = solution(problem, from: chosen) { return solution }
            throw search.infeasibility(isProven: false)
        case .missed(_, let isProven): throw search.infeasibility(isProven: isProven)
        }
    }

    /// The best selection found, from `start` (which keeps the limits) where no other is known; nil where none is.
    func solution(_ problem: Problem, from start: [Int]?) -> Solution? {
        let instance = KnapsackInstance(problem)
        var search = KnapsackSearch(instance, isStopped: isStopped)
        search.begin(from: start.map { instance.selection($0, of: problem) })
        guard let selection = search.close(effort) else { return nil }
        return Solution(
            chosen: selection.map { instance.choice(of: $0) }, value: search.value, bound: search.bound,
            prices: Self.prices(instance, search.peak))
    }

    private static func prices(_ instance: KnapsackInstance, _ peak: LagrangianDual.Point) -> Costs {
        var prices = Costs()
        for (slot, key) in instance.keys.enumerated() {
            // The search leaves a trace of a multiplier where a limit does not bind.
            let isTrace = peak.multipliers[slot] * instance.scales[slot] < 1e-6 * instance.valueScale
            prices[key] = isTrace ? 0 : peak.multipliers[slot]
        }
        return prices
    }
}
