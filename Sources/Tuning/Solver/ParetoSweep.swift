/// The trade-off between one cost and the objective: the problem solved at a row of budgets.
package struct ParetoSweep: Sendable {
    /// Budgets between the least and the most that choices can cost.
    private let steps: Int

    package init(steps: Int = 12) {
        self.steps = steps
    }

    /// Solutions of `problem` with a limit on `key` alone, at evenly spaced budgets, each better than the one before.
    package func front(of problem: Problem, over key: CostKey) -> [Solution] {
        func sum(_ pick: ([Double]) -> Double?) -> Double {
            problem.groups.reduce(0) { $0 + (pick($1.choices.map { $0.costs[key] }) ?? 0) }
        }
        let least = sum { $0.min() }
        let most = sum { $0.max() }
        guard most > least else { return [] }
        var relaxed = problem
        var front: [Solution] = []
        for step in 0...steps {
            let budget = least + (most - least) * Double(step) / Double(steps)
            // A little more, so that rounding cannot make the cheapest plan infeasible.
            relaxed.limits = Problem.Limits([key: problem.fixed[key] + budget + 1e-9 * most])
            guard let solution = try? Solver(effort: .near).solve(relaxed) else { continue }
            if let last = front.last, solution.value >= last.value { continue }
            front.append(solution)
        }
        return front
    }
}
