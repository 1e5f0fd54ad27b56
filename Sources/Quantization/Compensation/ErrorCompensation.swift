package import Compute

/// Refinement `gptq`: quantizes a matrix so that its output, not each weight, comes nearest, given the second moments of its
/// inputs (GPTQ, Frantar et al., 2022). Scales are fitted to the weights as they are when their columns' turn comes, each
/// column counting what its error finally costs; grids, points and levels stay those of the format. At the end codes are moved
/// one at a time as long as that helps.
///
/// The result is the same bits at any thread count and on any instruction set.
package struct ErrorCompensation: Sendable {
    private let factor: InverseFactor
    private let pool: ThreadPool

    /// A compensation for inputs whose factor is `factor`.
    package init(factor: InverseFactor, pool: ThreadPool) {
        self.factor = factor
        self.pool = pool
    }

    private var sweep: CompensationSweep { CompensationSweep(factor: factor, pool: pool) }
    private var descent: CodeDescent { CodeDescent(factor: factor, pool: pool) }

    /// `weights` on a grid. `rowImportance` is as in `GridQuantizer`, and so are the errors.
    package func quantize(
        _ weights: Matrix, as format: GridFormat, rowImportance: [Float]? = nil
    ) throws(QuantizationError) -> QuantizedMatrix {
        let importance = factor.importance
        var result = try GridQuantizer.quantize(
            weights, as: format, importance: importance, rowImportance: rowImportance, clip: true, pool: pool)
        if let layout = CodedLayout(format, rows: weights.rows, columns: weights.columns) {
            return try CodedCompensation(factor: factor, pool: pool, room: layout.indexBytes)
                .quantize(weights, from: result)
        }
        guard case .group(let unit) = format.granularity else {
            result = try compensated(weights, from: result)
            try OutlierRows(factor: factor, pool: pool).improve(
                &result, weights: weights, compensate: compensated, accepts: { _ in true })
            return result
        }
        let scales = result.halfScales
        let codebooks = result.codebooks
        let slots = weights.columns / unit
        let units = try sweep.quantize(weights, unit: unit) { columns, weights throws(QuantizationError) in
            let problem = FitProblem(
                weights: weights, importance: FitProblem.meaningful(Array(importance[columns])), rowImportance: nil,
                pool: pool)
            let slot = columns.lowerBound / unit
            return GroupFit(format: format, problem: problem, codebooks: codebooks).fitted(
                from: (0..<weights.rows).map { scales.isEmpty ? 0 : scales[$0 * slots + slot] })
        }
        result.replaceGroups(with: units)
        descent.improve(&result, weights: weights)
        return result
    }

    /// Compensated and descended from scales that serve a whole row.
    private func compensated(
        _ weights: Matrix, from start: QuantizedMatrix
    ) throws(QuantizationError) -> QuantizedMatrix {
        var result = try sweep.quantize(weights, keeping: start)
        descent.improve(&result, weights: weights)
        return result
    }

    /// `weights` in a GGUF type. Throws as `BlockQuantizer` does.
    package func quantize(_ weights: Matrix, as format: BlockFormat) throws(QuantizationError) -> BlockMatrix {
        guard weights.rows > 0, format.isLegal(columns: weights.columns) else {
            throw QuantizationError(
                .illegalShape, place: "\(format.rawValue) matrix of \(weights.rows) x \(weights.columns)",
                "rows must be a multiple of \(format.blockLength) long; choose another format")
        }
        try weights.checkHalfPrecision()
        let importance = factor.importance
        var blocks: [BlockMatrix] = []
        let units = try sweep.quantize(weights, unit: format.blockLength) {
            columns, weights throws(QuantizationError) in
            let block = try BlockQuantizer.quantize(
                weights, as: format, importance: Array(importance[columns]), pool: pool)
            blocks.append(block)
            return block.decomposed(pool: pool)
        }
        let joined = try BlockMatrix(joining: blocks)
        var quantized = joined.decomposed(pool: pool)
        quantized.replaceCodes(with: units)
        descent.improve(&quantized, weights: weights)
        return try joined.replacing(with: quantized, pool: pool)
    }
}

/// The scales (and zero points) of one group of columns.
private struct GroupFit {
    let format: GridFormat
    let problem: FitProblem
    /// Those of the whole matrix, which stay.
    let codebooks: [Int8]

    /// The group quantized, with codes of 0; scales of a table are searched from `scales`.
    func fitted(from scales: [UInt16]) -> QuantizedMatrix {
        let codes = [UInt8](repeating: 0, count: problem.rows * problem.columns)
        func matrix(_ scales: [UInt16], _ offsets: QuantizedMatrix.Offsets) -> QuantizedMatrix {
            QuantizedMatrix(
                format: .grid(format), rows: problem.rows, columns: problem.columns, bits: format.bits,
                group: problem.columns, codes: codes, scales: .float16(scales), offsets: offsets,
                codebooks: codebooks)
        }
        switch format.grid {
        case .uniform, .affine:
            let found = IntegerFit(format: format, problem: problem, clip: true).parameters(group: problem.columns)
            return matrix(
                found.scales,
                format.grid == .affine ? .zeroPoints(found.zeroPoints) : .constant(format.constantOffset))
        case .codebook, .log2, .twoPowers:
            let entries = 1 << format.bits
            let tables = stride(from: 0, to: codebooks.count, by: entries).map {
                PointTable(points: Array(codebooks[$0..<$0 + entries]))
            }
            return matrix(
                problem.refitted(scales, tables, group: problem.columns, wide: false), .constant(0))
        }
    }
}

extension QuantizedMatrix {
    /// The bit patterns of half-precision scales; none of GGUF's.
    fileprivate var halfScales: [UInt16] {
        guard case .float16(let bits) = scales else { return [] }
        return bits
    }

    /// Puts the codes of runs of columns, one after the other, in place of its own.
    fileprivate mutating func replaceCodes(with units: [QuantizedMatrix]) {
        var first = 0
        for unit in units {
            for row in 0..<rows {
                let start = row * columns + first
                codes.replaceSubrange(
                    start..<start + unit.columns, with: unit.codes[row * unit.columns..<(row + 1) * unit.columns])
            }
            first += unit.columns
        }
    }

    /// Puts codes, scales and zero points of groups, column after column, in place of its own.
    fileprivate mutating func replaceGroups(with units: [QuantizedMatrix]) {
        var bits = halfScales
        var points: [UInt8] = []
        if case .zeroPoints(let own) = offsets { points = own }
        replaceCodes(with: units)
        for (slot, unit) in units.enumerated() {
            let scales = unit.halfScales
            for row in 0..<rows {
                bits[row * units.count + slot] = scales[row]
                if case .zeroPoints(let own) = unit.offsets { points[row * units.count + slot] = own[row] }
            }
        }
        scales = .float16(bits)
        if !points.isEmpty { offsets = .zeroPoints(points) }
    }
}
