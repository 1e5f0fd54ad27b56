/// Whether any selection keeps the limits, and why not: exact problems in which one limited cost is minimised under the others.
struct FeasibilitySearch {
    let problem: Problem
    let solver: Solver

    /// Whether a set of limits can be kept.
    enum Outcome {
        /// By these choices.
        case kept([Int])
        /// `key` is over its limit in every selection that keeps those before it.
        case missed(key: CostKey, isProven: Bool)
    }

    /// The keys that have a limit.
    var limited: [CostKey] { CostKey.allCases.filter { problem.limits[$0] != nil } }

    /// Keeps one limit after another: the next cost is minimised under the limits that are kept already, which the selection
    /// before is a start for.
    func plan(keeping keys: [CostKey]) -> Outcome {
        var chosen: [Int]?
        var kept: [CostKey] = []
        for key in keys {
            let limit = problem.limits[key] ?? .infinity
            defer { kept.append(key) }
            if let chosen, problem.totals(of: chosen)[key] <= limit { continue }
            guard let least = least(of: key, keeping: kept, from: chosen) else {
                return .missed(key: key, isProven: false)
            }
            guard problem.totals(of: least.chosen)[key] <= limit else {
                // Sums in another order differ in the last bits.
                let bound = problem.fixed[key] + least.bound
                return .missed(key: key, isProven: bound > limit - 1e-12 * abs(limit))
            }
            chosen = least.chosen
        }
        return .kept(chosen ?? problem.groups.map { _ in 0 })
    }

    /// The least of one cost under the limits of `keys`.
    private func least(of key: CostKey, keeping keys: [CostKey], from start: [Int]?) -> Solution? {
        var relaxed = problem
        relaxed.objective = key
        relaxed.limits = Problem.Limits()
        for kept in keys { relaxed.limits[kept] = problem.limits[kept] }
        return solver.solution(relaxed, from: start)
    }

    /// The explanation, where not all limits can be kept.
    func infeasibility(isProven: Bool) -> Infeasibility {
        let unattainable = limited.compactMap { key -> Infeasibility.Shortfall? in
            guard let chosen = least(of: key, keeping: [], from: nil)?.chosen else { return nil }
            return shortfall(key, of: chosen)
        }
        let conflict = unattainable.isEmpty ? irreducibleConflict() : unattainable.map(\.key)
        var plans: [[Int]] = []
        var remedies: [Infeasibility.Shortfall] = []
        for key in conflict {
            let others = limited.filter { $0 != key }
            guard case .kept(let start) = plan(keeping: others),
                let chosen = least(of: key, keeping: others, from: start)?.chosen
            else { continue }
            if let remedy = shortfall(key, of: chosen) { remedies.append(remedy) }
            plans.append(chosen)
        }
        let nearest = nearest(plans)
        return Infeasibility(
            unattainable: unattainable, conflict: conflict, remedies: remedies,
            nearest: limited.compactMap { shortfall($0, of: nearest) }, nearestChosen: nearest, isProven: isProven)
    }

    /// Limits that cannot be kept together, though all but any one of them can.
    private func irreducibleConflict() -> [CostKey] {
        var keys = limited
        for key in limited {
            let others = keys.filter { $0 != key }
            if case .missed = plan(keeping: others) { keys = others }
        }
        return keys
    }

    /// Of `plans` and of the cheapest plans brought near the limits, the one that exceeds them least, each in its own range.
    private func nearest(_ plans: [[Int]]) -> [Int] {
        let instance = KnapsackInstance(problem)
        let search = LocalSearch(instance)
        let starts = instance.keys.indices.map { slot in
            search.repaired(instance.cheapest(slot)).map { instance.choice(of: $0) }
        }
        func excess(_ chosen: [Int]) -> Double {
            let sums = problem.totals(of: chosen)
            return instance.excess(instance.keys.map { sums[$0] })
        }
        return (plans + starts).min { excess($0) < excess($1) } ?? problem.groups.map { _ in 0 }
    }

    private func shortfall(_ key: CostKey, of chosen: [Int]) -> Infeasibility.Shortfall? {
        let least = problem.totals(of: chosen)[key]
        guard let limit = problem.limits[key], least > limit else { return nil }
        return Infeasibility.Shortfall(key: key, limit: limit, least: least)
    }
}
