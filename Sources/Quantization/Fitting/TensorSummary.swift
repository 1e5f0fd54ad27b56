internal import CKernels
internal import Compute

extension FitProblem {
    /// A problem of one row whose fit is the fit of one scale to this whole matrix: the weights, sorted into 65536 equal parts
    /// of their range, each part standing for its weights by their weighted mean. At 8 bits a step of the grid is 256 parts,
    /// so that the part in which a rounding boundary falls hardly counts.
    func summary() -> FitProblem {
        let bins = 1 << 16
        let (smallest, largest) = extremes()
        let sums = sum(width: 2 * bins) { block, sums in
            fettle_fit_summary(block.rows, block.rowImportance, smallest, largest, bins, sums.baseAddress)
        }
        let filled = (0..<bins).filter { sums[2 * $0] > 0 }
        let total = filled.reduce(0) { max($0, sums[2 * $1]) }
        var values = filled.map { Float(sums[2 * $0 + 1] / sums[2 * $0]) }
        // The plain scale needs the largest weight itself.
        if let first = filled.first, first == 0 { values[0] = smallest }
        if let last = filled.last, last == bins - 1 { values[values.count - 1] = largest }
        guard !filled.isEmpty else {
            return FitProblem(weights: Matrix(rows: 1, columns: 1), importance: nil, rowImportance: nil, pool: pool)
        }
        return FitProblem(
            weights: Matrix(rows: 1, columns: values.count, values: values),
            importance: filled.map { Float(sums[2 * $0] / total) }, rowImportance: nil, pool: pool)
    }

    /// The smallest and the largest of the weights that count, and 0.
    private func extremes() -> (smallest: Float, largest: Float) {
        var ranges = [(smallest: Float, largest: Float)](repeating: (0, 0), count: rowBlocks)
        ranges.withUnsafeMutableBufferPointer { ranges in
            forEachBlock { block in
                fettle_fit_extremes(
                    block.rows, block.rowImportance, &ranges[block.index].smallest, &ranges[block.index].largest)
            }
        }
        return ranges.reduce((0, 0)) { (min($0.smallest, $1.smallest), max($0.largest, $1.largest)) }
    }
}
