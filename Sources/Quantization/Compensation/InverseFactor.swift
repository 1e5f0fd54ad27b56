package import Compute
internal import CKernels

/// The upper triangular U with H^-1 = U^T U, H being the second moments of a matrix's inputs: what GPTQ (Frantar et al., 2022)
/// passes a column's rounding error on with. Found without inverting H: with the columns in reverse order H = L L^T, and
/// U is L^-1 in the old order.
package struct InverseFactor: Sendable {
    /// U, columns x columns; zero below the diagonal.
    package let upper: Matrix
    /// H, the damping included.
    let moments: Matrix
    /// What was added to the diagonal.
    let damping: Float

    /// Columns that are factored and solved at a time.
    private static let block = 64

    /// The factor for the second moments `moments` (columns x columns, symmetric) with `damping` times their mean diagonal
    /// added to the diagonal; ten times as much, and so on, until the sum is positive definite in float32.
    package init(moments: Matrix, damping: Float, pool: ThreadPool) {
        let count = moments.rows
        let mean = (0..<count).reduce(0.0) { $0 + Double(moments.values[$1 * count + $1]) } / Double(max(count, 1))
        // Inputs that are all zero leave nothing to pass on: the identity does that.
        var added = mean > 0 ? damping * Float(mean) : 1
        var lower: Matrix?
        var used = added
        while lower == nil {
            used = added
            lower = Self.cholesky(Self.reversed(moments, adding: added), pool)
            added *= 10
        }
        upper = Self.inverse(lower ?? moments, pool)
        var damped = moments
        for index in 0..<count { damped.values[index * count + index] += used }
        self.moments = damped
        self.damping = used
    }

    /// `matrix` H^-1.
    func solved(_ matrix: Matrix, pool: ThreadPool) -> Matrix {
        pool.product(pool.product(matrix, upper, .transposedRight), upper, .plain)
    }

    /// What a rounding error in each column costs once the later columns have taken over what they can: 1 / U_jj^2.
    package var importance: [Float] {
        (0..<upper.rows).map { index in
            let diagonal = upper.values[index * upper.columns + index]
            return 1 / (diagonal * diagonal)
        }
    }

    private static func reversed(_ moments: Matrix, adding added: Float) -> Matrix {
        let count = moments.rows
        var result = Matrix(rows: count, columns: count, values: moments.values.reversed())
        for index in 0..<count { result.values[index * count + index] += added }
        return result
    }

    /// L, lower triangular, with `matrix` = L L^T; nil where a pivot is not positive. What stands above the diagonal is not
    /// part of the result.
    private static func cholesky(_ matrix: Matrix, _ pool: ThreadPool) -> Matrix? {
        var result = matrix
        let count = matrix.rows
        for first in stride(from: 0, to: count, by: block) {
            let end = min(first + block, count)
            guard factor(&result, first..<end) else { return nil }
            guard end < count else { break }
            let inverse = inverseBlock(result, first..<end)
            // Below the block: P = A L^-T, then the rest less P P^T.
            let width = end - first
            let below = Matrix(
                rows: count - end, columns: width,
                values: (end..<count).flatMap {
                    result.values[$0 * count + first..<$0 * count + end]
                })
            let panel = pool.product(below, inverse, .transposedRight)
            for row in 0..<panel.rows {
                let start = (end + row) * count + first
                result.values.replaceSubrange(start..<start + width, with: panel[row: row])
            }
            let negative = Matrix(rows: panel.rows, columns: width, values: panel.values.map { -$0 })
            pool.add(negative, panel, .transposedRight, to: &result, row: end, column: end)
        }
        return result
    }

    /// Factors the diagonal block in place.
    private static func factor(_ matrix: inout Matrix, _ block: Range<Int>) -> Bool {
        let count = matrix.columns
        return matrix.values.withUnsafeMutableBufferPointer { values in
            for column in block {
                var pivot = values[column * count + column]
                for k in block.lowerBound..<column { pivot -= values[column * count + k] * values[column * count + k] }
                guard pivot > 0, pivot.isFinite else { return false }
                let root = pivot.squareRoot()
                values[column * count + column] = root
                for row in column + 1..<max(block.upperBound, column + 1) {
                    var sum = values[row * count + column]
                    for k in block.lowerBound..<column { sum -= values[row * count + k] * values[column * count + k] }
                    values[row * count + column] = sum / root
                }
            }
            return true
        }
    }

    /// The inverse of a lower triangular diagonal block, by itself.
    private static func inverseBlock(_ matrix: Matrix, _ block: Range<Int>) -> Matrix {
        let (count, width, first) = (matrix.columns, block.count, block.lowerBound)
        var result = Matrix(rows: width, columns: width)
        for column in 0..<width {
            for row in column..<width {
                var sum: Float = row == column ? 1 : 0
                for k in column..<row {
                    sum -= matrix.values[(first + row) * count + first + k] * result.values[k * width + column]
                }
                result.values[row * width + column] = sum / matrix.values[(first + row) * count + first + row]
            }
        }
        return result
    }

    /// The inverse of the lower triangle L, its rows and columns put back in their old order.
    private static func inverse(_ lower: Matrix, _ pool: ThreadPool) -> Matrix {
        let count = lower.rows
        var result = Matrix(rows: count, columns: count)
        for first in stride(from: 0, to: count, by: block) {
            let end = min(first + block, count)
            let width = end - first
            // Row block i of L^-1 is L_ii^-1 (I - sum over j < i of L_ij X_j).
            var right = Matrix(rows: width, columns: end)
            if first > 0 {
                let left = Matrix(
                    rows: width, columns: first,
                    values: (first..<end).flatMap {
                        lower.values[$0 * count..<$0 * count + first].map { -$0 }
                    })
                pool.add(left, result, .plain, to: &right, used: first)
            }
            for row in 0..<width { right.values[row * end + first + row] = 1 }
            let solved = pool.product(inverseBlock(lower, first..<end), right, .plain)
            for row in 0..<width {
                let start = (first + row) * count
                result.values.replaceSubrange(start..<start + end, with: solved[row: row])
            }
        }
        return Matrix(rows: count, columns: count, values: result.values.reversed())
    }
}

extension ThreadPool {
    /// Adds the product of `a` and the columns `used` of the first rows of `b` (all its columns unless said) to the part of
    /// `c` that begins at `row` and `column`; with `.transposedRight`, of `a` and the transposed of the whole `b`.
    func add(
        _ a: Matrix, _ b: Matrix, _ form: ProductForm, to c: inout Matrix, row: Int = 0, column: Int = 0,
        used: Int? = nil
    ) {
        let stride = c.columns
        let isTransposed = form == .transposedRight
        let columns = used ?? (isTransposed ? b.rows : b.columns)
        guard a.rows > 0, a.columns > 0, columns > 0 else { return }
        a.values.withUnsafeBufferPointer { left in
            b.values.withUnsafeBufferPointer { right in
                c.values.withUnsafeMutableBufferPointer { target in
                    guard let left = left.baseAddress, let right = right.baseAddress, let target = target.baseAddress
                    else { return }
                    multiply(
                        fettle_product(
                            a: left, b: right, c: target + row * stride + column, rows: a.rows, columns: columns,
                            depth: a.columns, a_row: a.columns, a_depth: 1, b_depth: isTransposed ? 1 : b.columns,
                            b_column: isTransposed ? b.columns : 1, c_row: stride, accumulates: true))
                }
            }
        }
    }
}
