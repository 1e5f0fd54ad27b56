internal import CKernels
internal import Compute

/// The fit of grids `u` and `a`: integers times a scale.
struct IntegerFit {
    let format: GridFormat
    let problem: FitProblem
    let clip: Bool

    /// Half-precision scales, and zero points of an affine grid, for each row and group.
    struct Parameters {
        var scales: [UInt16]
        var zeroPoints: [UInt8]
    }

    func quantized() -> QuantizedMatrix {
        var parameters: Parameters
        if format.granularity == .tensor {
            let summary = problem.summary()
            let one = Self(format: format, problem: summary, clip: clip).parameters(group: summary.columns)
            parameters = Parameters(
                scales: [UInt16](repeating: one.scales[0], count: problem.rows),
                zeroPoints: one.zeroPoints.flatMap { [UInt8](repeating: $0, count: problem.rows) })
        } else {
            parameters = self.parameters(group: group)
        }
        let codes = codes(parameters)
        if format.granularity == .tensor { parameters.scales.removeLast(problem.rows - 1) }
        return QuantizedMatrix(
            format: .grid(format), rows: problem.rows, columns: problem.columns, bits: format.bits, group: group,
            codes: codes, scales: .float16(parameters.scales),
            offsets: format.grid == .affine ? .zeroPoints(parameters.zeroPoints) : .constant(format.constantOffset))
    }

    private var group: Int { format.group(columns: problem.columns) }

    private var grid: fettle_fit_grid {
        // Code 0 of 8 bits stands for -128, which kernels that multiply absolute values cannot take.
        let lowest: Int32 = format.grid == .uniform && format.bits == 8 ? 1 : 0
        return fettle_fit_grid(
            bits: Int32(format.bits), lowest: lowest, highest: Int32(1 << format.bits - 1),
            offset: Int32(format.constantOffset))
    }

    /// Fits each row and group of `group` columns by itself.
    func parameters(group: Int) -> Parameters {
        let groups = problem.columns / group
        var scales = [UInt16](repeating: 0, count: problem.rows * groups)
        var zeroPoints = [UInt8](repeating: 0, count: format.grid == .affine ? scales.count : 0)
        scales.withUnsafeMutableBufferPointer { scales in
            zeroPoints.withUnsafeMutableBufferPointer { zeroPoints in
                guard let scales = scales.baseAddress else { return }
                let zeroPoints = zeroPoints.isEmpty ? nil : zeroPoints.baseAddress
                problem.forEachBlock(group: group) { block, scratch in
                    let first = block.firstRow * groups
                    fettle_fit_integers(
                        problem.instructionSet, block.rows, grid, group, clip ? 1 : 0, scratch, scales + first,
                        zeroPoints.map { $0 + first })
                }
            }
        }
        return Parameters(scales: scales, zeroPoints: zeroPoints)
    }

    private func codes(_ parameters: Parameters) -> [UInt8] {
        let group = group
        let groups = problem.columns / group
        return [UInt8](unsafeUninitializedCapacity: problem.rows * problem.columns) { codes, count in
            guard let codes = codes.baseAddress else { return }
            parameters.scales.withUnsafeBufferPointer { scales in
                parameters.zeroPoints.withUnsafeBufferPointer { zeroPoints in
                    guard let scales = scales.baseAddress else { return }
                    let zeroPoints = zeroPoints.isEmpty ? nil : zeroPoints.baseAddress
                    problem.forEachBlock(group: group) { block, scratch in
                        let first = block.firstRow * groups
                        fettle_fit_encode_integers(
                            problem.instructionSet, block.rows, grid, group, scratch, scales + first,
                            zeroPoints.map { $0 + first }, codes + block.firstRow * problem.columns)
                    }
                }
            }
            count = problem.rows * problem.columns
        }
    }
}
