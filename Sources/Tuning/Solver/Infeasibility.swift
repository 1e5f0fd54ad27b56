/// Why no choice keeps every limit, and by how much each would have to give.
package struct Infeasibility: Error, Sendable, Equatable {
    /// A limit that is missed.
    package struct Shortfall: Sendable, Equatable {
        package var key: CostKey
        package var limit: Double
        /// The least sum that was found, `fixed` included.
        package var least: Double

        package init(key: CostKey, limit: Double, least: Double) {
            self.key = key
            self.limit = limit
            self.least = least
        }
    }

    /// Limits that not even the cheapest choice of every group meets; empty where each can be met alone.
    package var unattainable: [Shortfall]
    /// Limits that cannot be met together, though they can without any one of them; those out of reach where there are such.
    package var conflict: [CostKey]
    /// Of those, the ones that need only give alone, to `least`, for a plan to keep all limits.
    package var remedies: [Shortfall]
    /// What the plan that comes nearest to all limits together misses: giving all of these makes it possible.
    package var nearest: [Shortfall]
    /// The choices of that plan.
    package var nearestChosen: [Int]
    /// Whether it is proven that no plan keeps the limits, and not only that none was found.
    package var isProven: Bool
}
