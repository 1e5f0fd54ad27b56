/// Counts of values by size.
struct Histogram: Sendable, Equatable {
    /// Upper bounds, inclusive, rising.
    let bounds: [Double]
    /// Values within each bound and above the one before.
    private(set) var counts: [Int]
    private(set) var count = 0
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count)
    }

    /// Counts `value`.
    mutating func add(_ value: Double) {
        count += 1
        sum += value
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
    }
}
