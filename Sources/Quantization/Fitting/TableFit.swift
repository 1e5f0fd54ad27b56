internal import CKernels
internal import Compute

/// The fit of grids `k`, `l` and `p`: points of a table times a scale.
struct TableFit {
    let format: GridFormat
    let problem: FitProblem
    let clip: Bool

    func quantized() -> QuantizedMatrix {
        var scales: [UInt16]
        let tables: [PointTable]
        switch (format.granularity, format.grid) {
        case (.tensor, _):
            let summary = problem.summary()
            var shared = format
            shared.rowBlockCodebooks = false
            let one = Self(format: shared, problem: summary, clip: clip).fitted(group: summary.columns)
            scales = [UInt16](repeating: one.scales[0], count: problem.rows)
            tables = format.rowBlockCodebooks ? rowBlockCodebooks(&scales, summary: summary) : one.tables
        default: (scales, tables) = fitted(group: group)
        }
        let codes = problem.codes(tables, scales: scales, group: group)
        if format.granularity == .tensor { scales.removeLast(problem.rows - 1) }
        return QuantizedMatrix(
            format: .grid(format), rows: problem.rows, columns: problem.columns, bits: format.bits, group: group,
            codes: codes, scales: .float16(scales), offsets: .constant(0), codebooks: tables.flatMap(\.points))
    }

    private var group: Int { format.group(columns: problem.columns) }

    /// Codebooks of row blocks for one scale of the tensor. The scale that suits one codebook is not always the best for many:
    /// that of the largest weight competes.
    private func rowBlockCodebooks(_ scales: inout [UInt16], summary: FitProblem) -> [PointTable] {
        let fit = CodebookFit(format: format, problem: problem, group: group, clip: clip)
        let found = fit.codebooks(scales)
        let largest = summary.scalesOfLargest(group: summary.columns, point: 127)[0]
        guard largest != scales[0] else { return found.tables }
        let plain = [UInt16](repeating: largest, count: problem.rows)
        let other = fit.codebooks(plain)
        guard other.error < found.error else { return found.tables }
        scales = plain
        return other.tables
    }

    /// Scales for each row and group, and the tables: one, or one for each row block.
    private func fitted(group: Int) -> (scales: [UInt16], tables: [PointTable]) {
        guard let points = format.fixedPoints, let lowest = points.first else {
            return CodebookFit(format: format, problem: problem, group: group, clip: clip).fitted()
        }
        let table = PointTable(points: points)
        let largest = problem.scalesOfLargest(group: group, point: -Float(lowest))
        return (clip ? problem.refitted(largest, [table], group: group, wide: true) : largest, [table])
    }
}

extension FitProblem {
    /// Scales that take the largest weight of each group to minus `point`.
    func scalesOfLargest(group: Int, point: Float) -> [UInt16] {
        let eight = IntegerFit(format: GridFormat(.uniform, bits: 8, .channel), problem: self, clip: false)
        return eight.parameters(group: group).scales.map { (Float16(bitPattern: $0) * Float16(127 / point)).bitPattern }
    }

    /// Scales searched for given tables (one, or one for each row block), starting from `scales`: near them, or with `wide`
    /// everywhere.
    func refitted(_ scales: [UInt16], _ tables: [PointTable], group: Int, wide: Bool) -> [UInt16] {
        let groups = columns / group
        let points = tables.map { $0.nearestPoints() }
        var scales = scales
        scales.withUnsafeMutableBufferPointer { scales in
            guard let scales = scales.baseAddress else { return }
            forEachBlock(group: group) { block, scratch in
                fettle_fit_table(
                    instructionSet, block.rows, points[points.count == 1 ? 0 : block.index], group, wide ? 1 : 0,
                    scratch,
                    scales + block.firstRow * groups)
            }
        }
        return scales
    }

    /// The codes of the nearest points.
    fileprivate func codes(_ tables: [PointTable], scales: [UInt16], group: Int) -> [UInt8] {
        let groups = columns / group
        let nearest = tables.map { $0.nearestCodes() }
        return [UInt8](unsafeUninitializedCapacity: rows * columns) { codes, count in
            guard let codes = codes.baseAddress else { return }
            scales.withUnsafeBufferPointer { scales in
                guard let scales = scales.baseAddress else { return }
                forEachBlock(group: group) { block, scratch in
                    fettle_fit_encode_table(
                        instructionSet, block.rows, nearest[nearest.count == 1 ? 0 : block.index], group, scratch,
                        scales + block.firstRow * groups, codes + block.firstRow * columns)
                }
            }
            count = rows * columns
        }
    }
}
