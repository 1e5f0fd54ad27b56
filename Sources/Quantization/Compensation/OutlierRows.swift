internal import Compute

/// Rows whose outputs err far more than the others'. What makes the massive activations of a model (Sun et al., "Massive activations
/// in large language models", 2024) is one row: a few large inputs times large weights are nearly all of its output, and whether
/// points of the grid come near those weights is up to the scale. Such rows are compensated again from scales around their own, and
/// the one that errs least is kept.
struct OutlierRows {
    let factor: InverseFactor
    let pool: ThreadPool

    /// What a row must err beside the mean row, and how many are tried again: the worst.
    private static let outstanding = 16.0
    private static let most = 4
    /// Scales that are tried, as factors of the row's own, from 0.8 to 1.25 in steps of 1.5 %.
    private static let factors = (-15...15).map { exponent in
        (0..<abs(exponent)).reduce(Float(1)) { product, _ in exponent < 0 ? product / 1.015 : product * 1.015 }
    }

    /// Improves `matrix`, which stands for `weights`; it must have scales for whole rows, and no codebooks for parts of the rows.
    /// `compensate` brings weights onto the grid with the scales of what it is given; a row that `accepts` does not want in the
    /// matrix stays as it was.
    func improve(
        _ matrix: inout QuantizedMatrix, weights: Matrix,
        compensate: (_ weights: Matrix, _ start: QuantizedMatrix) throws(QuantizationError) -> QuantizedMatrix,
        accepts: (QuantizedMatrix) -> Bool
    ) throws(QuantizationError) {
        guard matrix.hasHalfScales, matrix.group == matrix.columns, matrix.codebooks.count <= 1 << matrix.bits else {
            return
        }
        let errors = errors(of: matrix, weights)
        let mean = errors.reduce(0, +) / Double(max(1, errors.count))
        let worst = errors.indices.filter { errors[$0] > Self.outstanding * mean }
            .sorted { (errors[$1], $0) < (errors[$0], $1) }
        for row in worst.prefix(Self.most) {
            let source = Matrix(
                rows: Self.factors.count, columns: weights.columns,
                values: Self.factors.flatMap { _ in weights[row: row] })
            let tried = try compensate(source, matrix.copies(of: row, scaledBy: Self.factors))
            let found = self.errors(of: tried, source)
            for index in found.indices.sorted(by: { (found[$0], $0) < (found[$1], $1) })
            where found[index] < errors[row] {
                var candidate = matrix
                candidate.replaceRow(row, with: index, of: tried)
                guard accepts(candidate) else { continue }
                matrix = candidate
                break
            }
        }
    }

    /// What the output of each row errs by, squared and summed over the inputs.
    private func errors(of matrix: QuantizedMatrix, _ weights: Matrix) -> [Double] {
        let errors = weights.minus(matrix.dequantized(pool: pool))
        let products = pool.product(errors, factor.moments, .plain)
        return (0..<errors.rows).map { row in
            zip(errors[row: row], products[row: row]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
    }
}

extension QuantizedMatrix {
    /// A matrix that has the row `row` for each of `factors`, its scale times that.
    fileprivate func copies(of row: Int, scaledBy factors: [Float]) -> QuantizedMatrix {
        var result = self
        result.rows = factors.count
        result.codes = factors.flatMap { _ in codes[row * columns..<(row + 1) * columns] }
        if case .float16(let scales) = scales {
            result.scales = .float16(factors.flatMap { [scales[row]].scaled(by: $0) })
        }
        if case .zeroPoints(let points) = offsets { result.offsets = .zeroPoints(factors.map { _ in points[row] }) }
        return result
    }

    /// Puts row `index` of `other` in place of row `row`.
    fileprivate mutating func replaceRow(_ row: Int, with index: Int, of other: QuantizedMatrix) {
        codes.replaceSubrange(
            row * columns..<(row + 1) * columns, with: other.codes[index * columns..<(index + 1) * columns])
        guard case .float16(var own) = scales, case .float16(let found) = other.scales else { return }
        own[row] = found[index]
        scales = .float16(own)
    }
}
