/// Wall-clock seconds of repeated work.
package enum Stopwatch {
    /// Seconds that `body` takes by `clock`.
    package static func seconds(
        by clock: some Clock<Duration> = ContinuousClock(), _ body: () throws -> Void
    ) rethrows -> Double {
        let elapsed = try clock.measure(body)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }

    /// Seconds of the fastest of `count` runs of `body`.
    package static func least(
        of count: Int, by clock: some Clock<Duration> = ContinuousClock(), _ body: () throws -> Void
    ) rethrows -> Double {
        try (0..<count).reduce(.infinity) { least, _ in min(least, try seconds(by: clock, body)) }
    }

    /// The median of `values`; 0 of none.
    package static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
