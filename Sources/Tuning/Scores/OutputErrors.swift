internal import Compute

/// Projections of output errors on gradients: p_t = g_t . d_t for every position t (design.md, section 5).
struct OutputErrors {
    /// dL/dy of everything that the sweep shows together: positions x outputs.
    let gradients: Matrix
    let pool: ThreadPool

    /// Adds g_t . (quantized - exact) over the columns from `first` on to `projections`. Sums of 16 columns at a time in
    /// double precision and fixed order: the same bits at any thread count.
    func project(_ quantized: Matrix, minus exact: Matrix, first: Int, into projections: inout [Double]) {
        let width = quantized.columns
        let stride = gradients.columns
        gradients.values.withUnsafeBufferPointer { gradients in
            quantized.values.withUnsafeBufferPointer { quantized in
                exact.values.withUnsafeBufferPointer { exact in
                    projections.withUnsafeMutableBufferPointer { projections in
                        pool.forEach(projections.count, chunk: 8) { (row: Int) in
                            let gradient = row * stride + first
                            let output = row * width
                            var sum = 0.0
                            var column = 0
                            while column < width {
                                let end = min(column + 16, width)
                                var block: Float = 0
                                for index in column..<end {
                                    block +=
                                        gradients[gradient + index]
                                        * (quantized[output + index] - exact[output + index])
                                }
                                sum += Double(block)
                                column = end
                            }
                            projections[row] += sum
                        }
                    }
                }
            }
        }
    }

    /// s = 1/(2T) * sum over t of p_t^2.
    static func sensitivity(_ projections: [Double]) -> Double {
        projections.reduce(0) { $0 + $1 * $1 } / (2 * Double(max(1, projections.count)))
    }
}
