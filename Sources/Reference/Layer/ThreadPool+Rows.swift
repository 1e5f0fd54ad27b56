internal import CKernels
internal import Compute

/// Row kernels over whole matrices: a thread takes some rows at a time.
extension ThreadPool {
    /// Calls `body` with each block of rows, a few blocks for each thread.
    func forEachRowBlock(_ rows: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        let block = 16
        forEach((rows + block - 1) / block) { (index: Int) in
            body(index * block, min(block, rows - index * block))
        }
    }

    /// y = weight * x / sqrt(mean(x^2) + epsilon).
    func rmsNorm(_ x: Matrix, weight: [Float], epsilon: Float, into y: inout Matrix) {
        precondition(x.rows == y.rows && x.columns == y.columns && x.columns == weight.count)
        let columns = x.columns
        x.withPointer { source in
            weight.withPointer { scale in
                y.withMutablePointer { target in
                    forEachRowBlock(x.rows) { first, count in
                        fettle_rms_norm(
                            instructionSet.cValue, source + first * columns, scale, target + first * columns, count,
                            columns, epsilon)
                    }
                }
            }
        }
    }

    /// Adds to `xGradient` what `yGradient` gives through `rmsNorm` at `x`.
    func rmsNormBackward(
        _ x: Matrix, weight: [Float], epsilon: Float, yGradient: Matrix, addingTo xGradient: inout Matrix
    ) {
        precondition(x.values.count == yGradient.values.count && x.values.count == xGradient.values.count)
        let columns = x.columns
        x.withPointer { source in
            weight.withPointer { scale in
                yGradient.withPointer { gradient in
                    xGradient.withMutablePointer { target in
                        forEachRowBlock(x.rows) { first, count in
                            let start = first * columns
                            fettle_rms_norm_backward(
                                instructionSet.cValue, source + start, scale, gradient + start, target + start, count,
                                columns, epsilon)
                        }
                    }
                }
            }
        }
    }

    /// y = silu(gate) * up, gate and up being the halves of a row of `gateUp`.
    func siluProduct(_ gateUp: Matrix, into y: inout Matrix) {
        precondition(gateUp.rows == y.rows && gateUp.columns == 2 * y.columns)
        let columns = y.columns
        gateUp.withPointer { source in
            y.withMutablePointer { target in
                forEachRowBlock(gateUp.rows) { first, count in
                    fettle_silu_product(
                        instructionSet.cValue, source + first * 2 * columns, target + first * columns, count, columns)
                }
            }
        }
    }

    /// The gradient of `siluProduct` by `gateUp`.
    func siluProductBackward(_ gateUp: Matrix, yGradient: Matrix, into gateUpGradient: inout Matrix) {
        precondition(gateUp.values.count == gateUpGradient.values.count && gateUp.columns == 2 * yGradient.columns)
        let columns = yGradient.columns
        gateUp.withPointer { source in
            yGradient.withPointer { gradient in
                gateUpGradient.withMutablePointer { target in
                    forEachRowBlock(gateUp.rows) { first, count in
                        fettle_silu_product_backward(
                            instructionSet.cValue, source + first * 2 * columns, gradient + first * columns,
                            target + first * 2 * columns, count, columns)
                    }
                }
            }
        }
    }
}

extension Matrix {
    /// Calls `body` with the first value's address; a matrix of no values has none, and `body` is not called.
    func withPointer(_ body: (UnsafePointer<Float>) -> Void) {
        values.withPointer(body)
    }

    /// As `withPointer`, for writing.
    mutating func withMutablePointer(_ body: (UnsafeMutablePointer<Float>) -> Void) {
        values.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress, !buffer.isEmpty { body(base) }
        }
    }
}

extension [Float] {
    func withPointer(_ body: (UnsafePointer<Float>) -> Void) {
        withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress, !buffer.isEmpty { body(base) }
        }
    }
}
