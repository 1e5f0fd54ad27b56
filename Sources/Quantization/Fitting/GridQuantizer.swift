package import Compute

/// Finds the codes, scales, zero points and codebooks of a grid that come nearest to a matrix:
/// sum over rows i and columns j of row importance(i) * importance(j) * (weight - quantized weight)^2 is least.
///
/// The result is the same bits at any thread count and on any instruction set.
package enum GridQuantizer {
    /// Quantizes `weights` to `format`.
    ///
    /// - `importance`: the second moment of each input, E[x_j^2], columns numbers; nil counts all the same.
    /// - `rowImportance`: the weight of each output row, rows numbers; it matters where rows share a scale or a codebook.
    /// - `clip`: whether scales (and zero points) are searched for the least error. Without it they come from the largest
    ///   weight or the range, and a codebook is fitted once.
    ///
    /// - `pool`: idle threads; this runs regions of its own on them.
    ///
    /// Throws for an illegal shape, and for a weight or an importance that is not a usable number, naming its position.
    package static func quantize(
        _ weights: Matrix, as format: GridFormat, importance: [Float]? = nil, rowImportance: [Float]? = nil,
        clip: Bool, pool: ThreadPool
    ) throws(QuantizationError) -> QuantizedMatrix {
        guard Format.grid(format).isLegal(rows: weights.rows, columns: weights.columns) else {
            throw QuantizationError(
                .illegalShape, place: "\(format) matrix of \(weights.rows) x \(weights.columns)",
                "the format cannot divide its rows; choose another group or format")
        }
        try weights.checkHalfPrecision()
        try check(importance, count: weights.columns, "column")
        try check(rowImportance, count: weights.rows, "row")
        let problem = FitProblem(
            weights: weights, importance: importance.flatMap(FitProblem.meaningful),
            rowImportance: rowImportance.flatMap(FitProblem.meaningful), pool: pool)
        return switch format.grid {
        case .codebook where format.indexRate != nil:
            SharedFit(format: format, problem: problem, clip: clip).quantized()
        case .uniform, .affine: IntegerFit(format: format, problem: problem, clip: clip).quantized()
        case .codebook, .log2, .twoPowers: TableFit(format: format, problem: problem, clip: clip).quantized()
        }
    }

    private static func check(_ importance: [Float]?, count: Int, _ axis: String) throws(QuantizationError) {
        guard let importance else { return }
        guard importance.count == count else {
            throw QuantizationError(
                .malformed, place: "\(axis) importance",
                "\(importance.count) numbers for \(count) \(axis)s; give one for each")
        }
        guard let index = importance.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) else { return }
        throw QuantizationError(
            .unusableValue, place: "importance of \(axis) \(index)",
            "\(importance[index]) is not a finite number from 0 up; the calibration has failed")
    }
}
