/// How long something took, in cumulative buckets as Prometheus has them: as small after a million runs as after one.
package struct DurationHistogram: Sendable, Equatable {
    /// Upper bounds of the buckets, in seconds; the last bucket, of all there is, has none.
    package static let bounds: [Double] = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]

    /// For each bound, how many took at most so long.
    package private(set) var counts = [Int](repeating: 0, count: bounds.count)
    /// How many there were.
    package private(set) var count = 0
    /// What they took together, in seconds.
    package private(set) var sum = 0.0

    package init() {}

    /// Counts one more.
    package mutating func add(_ seconds: Double) {
        for (index, bound) in Self.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
        count += 1
        sum += seconds
    }
}
