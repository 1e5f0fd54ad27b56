package import Compute

/// How often magnitudes occur in what calibration saw of an input: equal bins up to the largest.
package struct MagnitudeHistogram: Sendable {
    /// Numbers in each bin.
    package let counts: [Double]
    package let largest: Float

    /// As fine as 16 bins for each of the 127 steps of the widest range.
    package static let bins = 2048

    /// The magnitudes in `rows` but for each `sequence`-th from the first on: the first token of a sequence has a scale of its own.
    package init(of rows: Matrix, sequence: Int) {
        var largest: Float = 0
        Self.forEach(rows, sequence) { largest = max(largest, $0) }
        self.largest = largest
        var counts = [Double](repeating: 0, count: Self.bins)
        let unit = largest > 0 ? Float(Self.bins) / largest : 0
        Self.forEach(rows, sequence) { counts[min(Self.bins - 1, Int($0 * unit))] += 1 }
        self.counts = counts
    }

    private static func forEach(_ rows: Matrix, _ sequence: Int, _ body: (Float) -> Void) {
        rows.values.withUnsafeBufferPointer { values in
            for row in 0..<rows.rows where !row.isMultiple(of: max(1, sequence)) {
                for index in row * rows.columns..<(row + 1) * rows.columns where values[index].isFinite {
                    body(abs(values[index]))
                }
            }
        }
    }
}
