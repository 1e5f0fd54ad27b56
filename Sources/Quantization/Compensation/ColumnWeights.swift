internal import CKernels
internal import Compute

/// A matrix column by column, each a whole number of 16-row vectors: what the compensating kernel works on.
final class ColumnWeights {
    let rows: Int
    let columns: Int
    /// Numbers from one column to the next.
    let stride: Int
    private let values: UnsafeMutablePointer<Float>

    /// A copy of `weights`; rows beyond its last are 0.
    init(_ weights: Matrix, pool: ThreadPool) {
        rows = weights.rows
        columns = weights.columns
        stride = (weights.rows + 15) / 16 * 16
        values = Self.allocate(stride * weights.columns)
        let (columns, stride, values) = (columns, stride, values)
        weights.values.withUnsafeBufferPointer { source in
            pool.forEach((weights.rows + 15) / 16) { (block: Int) in
                for row in block * 16..<min(block * 16 + 16, weights.rows) {
                    for column in 0..<columns { values[column * stride + row] = source[row * columns + column] }
                }
            }
        }
    }

    /// Zeros.
    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        stride = (rows + 15) / 16 * 16
        values = Self.allocate(stride * columns)
    }

    deinit { values.deallocate() }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: AlignedBytes.alignment)
        let values = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        values.initialize(repeating: 0, count: max(count, 1))
        return values
    }

    /// The first of 16 rows of a column.
    func pointer(column: Int, row: Int) -> UnsafeMutablePointer<Float> { values + column * stride + row }

    /// Some columns, row by row.
    func matrix(_ range: Range<Int>, pool: ThreadPool) -> Matrix {
        var result = Matrix(rows: rows, columns: range.count)
        let (rows, stride, values) = (rows, stride, values)
        result.values.withUnsafeMutableBufferPointer { target in
            pool.forEach((rows + 15) / 16) { (block: Int) in
                for row in block * 16..<min(block * 16 + 16, rows) {
                    for (place, column) in range.enumerated() {
                        target[row * range.count + place] = values[column * stride + row]
                    }
                }
            }
        }
        return result
    }

    /// Adds to the columns `target` what the errors of the columns `source` leave to them by rows `source` of `upper`;
    /// `errors` holds them from column `first` on.
    func add(
        _ errors: ColumnWeights, of source: Range<Int>, first: Int, through upper: Matrix, to target: Range<Int>,
        pool: ThreadPool
    ) {
        guard !source.isEmpty, !target.isEmpty else { return }
        upper.values.withUnsafeBufferPointer { factor in
            guard let factor = factor.baseAddress else { return }
            pool.multiply(
                fettle_product(
                    a: factor + source.lowerBound * upper.columns + target.lowerBound,
                    b: errors.pointer(column: source.lowerBound - first, row: 0),
                    c: pointer(column: target.lowerBound, row: 0), rows: target.count, columns: stride,
                    depth: source.count, a_row: 1, a_depth: upper.columns, b_depth: errors.stride, b_column: 1,
                    c_row: stride, accumulates: true))
        }
    }
}
