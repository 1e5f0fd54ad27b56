internal import Compute

/// What calibration tells about one matrix, for weighted fits.
struct TensorImportance: Sendable, Equatable {
    /// E[x_j^2] for each input.
    var columns: [Float]
    /// E[(dL/dy_i)^2] for each output: how much the loss feels an error of that row.
    var rows: [Float]
    /// The scale of its statically quantized input; nil where no choice has one.
    var frozenScale: Float?

    /// The mean square of each column of `matrix`, in double precision, rows in order: the same at any thread count.
    static func meanSquares(of matrix: Matrix, columns range: Range<Int>, pool: ThreadPool) -> [Float] {
        var result = [Float](repeating: 0, count: range.count)
        let block = 64
        matrix.values.withUnsafeBufferPointer { values in
            result.withUnsafeMutableBufferPointer { result in
                pool.forEach((range.count + block - 1) / block) { (index: Int) in
                    let part = index * block..<min((index + 1) * block, range.count)
                    var sums = [Double](repeating: 0, count: part.count)
                    for row in 0..<matrix.rows {
                        let start = row * matrix.columns + range.lowerBound + part.lowerBound
                        for column in sums.indices {
                            let value = Double(values[start + column])
                            sums[column] += value * value
                        }
                    }
                    for column in sums.indices {
                        result[part.lowerBound + column] = Float(sums[column] / Double(max(1, matrix.rows)))
                    }
                }
            }
        }
        return result
    }
}
