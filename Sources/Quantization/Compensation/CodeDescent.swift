internal import CKernels
internal import Compute

/// Moves the codes of a quantized matrix, one at a time, to where the error of its output is least with all others as they are:
/// what GPTQ, which settles each column once, leaves (QuantEase, Behdin et al., 2023). Between the sweeps half-precision scales
/// and minimums are moved in the same way; two-level ones, offsets and points stay. What no row's does is grow: its error, and with
/// a rate the sum of error and code lengths, as far as codes go.
struct CodeDescent {
    let factor: InverseFactor
    var rate: CodeRate?
    let pool: ThreadPool

    /// Times that every code is looked at.
    private static let sweeps = 3

    /// Improves `quantized`, which stands for `weights`.
    func improve(_ quantized: inout QuantizedMatrix, weights: Matrix) {
        let parameters = RoundingParameters(quantized, rate: rate)
        let movesScales = quantized.hasHalfScales
        var scales = movesScales ? parameters.scales : []
        var minimums = movesScales ? parameters.minimums : []
        let gradients = gradients(quantized, weights)
        quantized.codes.withUnsafeMutableBufferPointer { codes in
            scales.withUnsafeMutableBufferPointer { scales in
                minimums.withUnsafeMutableBufferPointer { minimums in
                    guard let codes = codes.baseAddress else { return }
                    descend(
                        parameters, gradients, scales: movesScales ? scales.baseAddress : nil,
                        minimums: minimums.isEmpty ? nil : minimums.baseAddress, codes: codes)
                }
            }
        }
        guard movesScales else { return }
        switch quantized.scales {
        case .float16: quantized.scales = .float16(scales.map { Float16($0).bitPattern })
        case .float32: quantized.scales = .float32(scales)
        }
        if !minimums.isEmpty { quantized.offsets = .minimums(minimums) }
    }

    /// (weights - quantized) times the moments.
    private func gradients(_ quantized: QuantizedMatrix, _ weights: Matrix) -> Matrix {
        pool.product(weights.minus(quantized.dequantized(pool: pool)), factor.moments, .plain)
    }

    private func descend(
        _ parameters: RoundingParameters, _ gradients: Matrix, scales: UnsafeMutablePointer<Float>?,
        minimums: UnsafeMutablePointer<Float>?, codes: UnsafeMutablePointer<UInt8>
    ) {
        let (rows, columns, slots) = (gradients.rows, gradients.columns, parameters.slots)
        let set = pool.instructionSet.cValue
        gradients.values.withUnsafeBufferPointer { gradients in
            factor.moments.values.withUnsafeBufferPointer { moments in
                guard let gradients = gradients.baseAddress else { return }
                pool.forEach(R16Layout.rowBlocks(rows: rows)) { (block: Int) in
                    let first = block * R16Layout.rowsPerBlock
                    let scratch = UnsafeMutableRawPointer.allocate(
                        byteCount: 2 * columns * R16Layout.rowsPerBlock * MemoryLayout<Float>.stride,
                        alignment: AlignedBytes.alignment)
                    defer { scratch.deallocate() }
                    var run = fettle_descent(
                        columns: columns, moments: moments.baseAddress, sweeps: Int32(Self.sweeps),
                        scales: scales.map { $0 + first * slots }, minimums: minimums.map { $0 + first * slots })
                    parameters.withRounding(row: first) { rounding in
                        fettle_descend(
                            set, rounding, &run, Int32(min(R16Layout.rowsPerBlock, rows - first)),
                            gradients + first * columns, scratch.assumingMemoryBound(to: Float.self),
                            codes + first * columns)
                    }
                }
            }
        }
    }
}

extension QuantizedMatrix {
    /// Whether each scale (and minimum) is a half-precision number of its own.
    var hasHalfScales: Bool {
        switch format {
        case .grid: !hasTensorScale
        case .block(let block): BlockLevels(block) == nil
        case .float16: false
        }
    }
}
