internal import CKernels
internal import Compute

/// The fit of grids `k` and `l`: points of a table times a scale.
///
/// A codebook is the exact optimum for its scales (`CodebookSolver`), scales are searched for their codebook, in turn.
struct TableFit {
    let format: GridFormat
    let problem: FitProblem
    let clip: Bool

    func quantized() -> QuantizedMatrix {
        var scales: [UInt16]
        var tables: [PointTable]
        if format.granularity == .tensor {
            let summary = problem.summary()
            var shared = format
            shared.rowBlockCodebooks = false
            let one = Self(format: shared, problem: summary, clip: clip).fitted(group: summary.columns)
            scales = [UInt16](repeating: one.scales[0], count: problem.rows)
            tables = format.rowBlockCodebooks ? codebooks(scales, group: problem.columns) : one.tables
        } else {
            (scales, tables) = fitted(group: group)
        }
        let codes = codes(scales, tables)
        if format.granularity == .tensor { scales.removeLast(problem.rows - 1) }
        return QuantizedMatrix(
            format: .grid(format), rows: problem.rows, columns: problem.columns, bits: format.bits, group: group,
            codes: codes, scales: .float16(scales), offsets: .constant(0), codebooks: tables.flatMap(\.points))
    }

    private var group: Int { format.group(columns: problem.columns) }

    /// Scales for each row and group, and the tables: one, or one for each row block.
    func fitted(group: Int) -> (scales: [UInt16], tables: [PointTable]) {
        if format.grid == .log2 {
            let table = PointTable(points: GridFormat.log2Points(bits: format.bits))
            let largest = scalesOfLargest(group: group, point: 64)
            return (clip ? refitted(largest, [table], group: group, wide: true) : largest, [table])
        }
        var scales = clip ? startingScales(group: group) : scalesOfLargest(group: group, point: 127)
        guard clip else { return (scales, codebooks(scales, group: group)) }
        for round in 0..<3 {
            scales = refitted(scales, codebooks(scales, group: group), group: group, wide: round == 0)
        }
        return (scales, codebooks(scales, group: group))
    }

    /// Scales that take the largest weight of each group to `point`, or its negative.
    private func scalesOfLargest(group: Int, point: Float) -> [UInt16] {
        let eight = IntegerFit(format: GridFormat(.uniform, bits: 8, .channel), problem: problem, clip: false)
        return eight.parameters(group: group).scales.map { (Float16(bitPattern: $0) * Float16(127 / point)).bitPattern }
    }

    /// Where the alternation starts. A long group has outliers that must not squeeze all other weights into a few entries:
    /// its range is a little more than what a uniform grid of as many bits would clip to.
    private func startingScales(group: Int) -> [UInt16] {
        guard group > 256 else { return scalesOfLargest(group: group, point: 127) }
        let uniform = IntegerFit(
            format: GridFormat(.uniform, bits: format.bits, .channel), problem: problem, clip: true)
        let range = Float16(1.2 * Float(1 << (format.bits - 1)) / 127)
        return uniform.parameters(group: group).scales.map { (Float16(bitPattern: $0) * range).bitPattern }
    }

    /// The best codebooks for given scales.
    private func codebooks(_ scales: [UInt16], group: Int) -> [PointTable] {
        let width = 3 * PointTable.intervals
        let entries = 1 << format.bits
        let groups = problem.columns / group
        return scales.withUnsafeBufferPointer { scales in
            guard let scales = scales.baseAddress else { return [] }
            func add(_ block: FitProblem.Block, _ sums: UnsafeMutablePointer<Double>) {
                withUnsafePointer(to: block.rows) {
                    fettle_fit_intervals($0, block.rowImportance, group, scales + block.firstRow * groups, sums)
                }
            }
            guard format.rowBlockCodebooks else {
                return [PointTable(points: CodebookSolver(sums: problem.sum(width: width, add)).points(entries))]
            }
            var tables = [PointTable](repeating: PointTable(points: []), count: problem.rowBlocks)
            tables.withUnsafeMutableBufferPointer { tables in
                problem.forEachBlock { block in
                    var sums = [Double](repeating: 0, count: width)
                    sums.withUnsafeMutableBufferPointer { if let sums = $0.baseAddress { add(block, sums) } }
                    tables[block.index] = PointTable(points: CodebookSolver(sums: sums).points(entries))
                }
            }
            return tables
        }
    }

    /// Scales searched for given tables, starting from `scales`.
    private func refitted(_ scales: [UInt16], _ tables: [PointTable], group: Int, wide: Bool) -> [UInt16] {
        let groups = problem.columns / group
        let points = tables.map { $0.nearestPoints() }
        var scales = scales
        scales.withUnsafeMutableBufferPointer { scales in
            guard let scales = scales.baseAddress else { return }
            problem.forEachBlock { block in
                withScratch(group: group) { scratch in
                    withUnsafePointer(to: block.rows) {
                        fettle_fit_table(
                            problem.instructionSet, $0, points[points.count == 1 ? 0 : block.index], group, wide ? 1 : 0,
                            scratch, scales + block.firstRow * groups)
                    }
                }
            }
        }
        return scales
    }

    private func codes(_ scales: [UInt16], _ tables: [PointTable]) -> [UInt8] {
        let group = group
        let groups = problem.columns / group
        let nearest = tables.map { $0.nearestCodes() }
        return [UInt8](unsafeUninitializedCapacity: problem.rows * problem.columns) { codes, count in
            guard let codes = codes.baseAddress else { return }
            scales.withUnsafeBufferPointer { scales in
                guard let scales = scales.baseAddress else { return }
                problem.forEachBlock { block in
                    withScratch(group: group) { scratch in
                        withUnsafePointer(to: block.rows) {
                            fettle_fit_encode_table(
                                problem.instructionSet, $0, nearest[nearest.count == 1 ? 0 : block.index], group, scratch,
                                scales + block.firstRow * groups, codes + block.firstRow * problem.columns)
                        }
                    }
                }
            }
            count = problem.rows * problem.columns
        }
    }
}
