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
    /// What the plan that comes nearest to all limits together misses.
    package var nearest: [Shortfall]
    /// The choices of that plan.
    package var nearestChosen: [Int]
    /// Whether it is proven that no plan keeps the limits, and not only that none was found.
    package var isProven: Bool
}
