/// How long something took, in cumulative buckets as Prometheus has them: as small after a million runs as after one.
package struct DurationHistogram: Sendable, Equatable {
    /// Upper bounds of the buckets, in seconds, rising; the last bucket, of all there is, has none.
    package let bounds: [Double]
    /// For each bound, how many took at most so long.
    package private(set) var counts: [Int]
    /// How many there were.
    package private(set) var count = 0
    /// What they took together, in seconds.
    package private(set) var sum = 0.0

    /// Bounds for stages of a job.
    package static let stageBounds: [Double] = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]

    package init(bounds: [Double] = stageBounds) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count)
    }

    /// Counts one more.
    package mutating func add(_ seconds: Double) {
        for (index, bound) in bounds.enumerated() where seconds <= bound { counts[index] += 1 }
        count += 1
        sum += seconds
    }
}
