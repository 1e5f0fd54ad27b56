internal import Compute

/// How weights lie in units of their scales: what a book is first chosen by, and what larger or smaller scales are compared by.
struct SharedSpread {
    /// [interval][v, v * x, v * x^2], in the intervals of `PointTable`.
    let sums: [Double]
    /// Weights in each interval.
    let counts: [Double]

    /// The codebook that suits the scales.
    func book(rate: Double, limit: Int) -> SharedBook {
        let best = SharedSolver(sums: sums, counts: counts).solve(rate: rate, limit: limit)
        return SharedBook(points: best.cells.points, lengths: best.cells.lengths, lambda: best.lambda)
    }

    /// Of `factors`, the one that all scales should be multiplied by.
    func bestFactor(of factors: [Double], rate: Double, limit: Int, pool: ThreadPool) -> Double {
        var merits = [Double](repeating: 0, count: factors.count)
        merits.withUnsafeMutableBufferPointer { merits in
            pool.forEach(factors.count) { (index: Int) in
                merits[index] = solver(factor: factors[index]).merit(rate: rate, limit: limit)
            }
        }
        return factors[merits.indices.min { merits[$0] < merits[$1] } ?? 0]
    }

    /// The solver for scales larger by a factor, in intervals twice as wide.
    private func solver(factor: Double) -> SharedSolver {
        let bins = PointTable.intervals / 2
        var sums = [Double](repeating: 0, count: 3 * bins)
        var counts = [Double](repeating: 0, count: bins)
        for interval in self.counts.indices where self.counts[interval] > 0 {
            let (mass, lean) = (self.sums[3 * interval], self.sums[3 * interval + 1])
            let middle = mass > 0 ? lean / mass : Double(interval - PointTable.intervals / 2) / 2
            let bin = Int(min(max((middle / factor).rounded(.down) + Double(bins / 2), 0), Double(bins - 1)))
            sums[3 * bin] += mass * factor * factor
            sums[3 * bin + 1] += lean * factor
            sums[3 * bin + 2] += self.sums[3 * interval + 2]
            counts[bin] += self.counts[interval]
        }
        return SharedSolver(sums: sums, counts: counts)
    }
}
