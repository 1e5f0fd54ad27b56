internal import CKernels
internal import Compute

/// The fit of grid `k`: the codebook that is exactly the best for its scales (`CodebookSolver`) and the scales that are searched
/// for their codebook, in turn. A codebook of the whole matrix is found on a sample of its rows.
struct CodebookFit {
    let format: GridFormat
    let problem: FitProblem
    let group: Int
    let clip: Bool

    /// Scales for each row and group, and the codebooks: one, or one for each row block.
    func fitted() -> (scales: [UInt16], tables: [PointTable]) {
        let plain = problem.scalesOfLargest(group: group, point: 127)
        guard clip else { return (plain, codebooks(plain).tables) }
        let sample = format.rowBlockCodebooks ? self : sampled()
        var scales = sample.start()
        for round in 0..<2 {
            let tables = sample.codebooks(scales).tables
            scales = sample.problem.refitted(scales, tables, group: group, wide: round == 0)
        }
        let tables = sample.codebooks(scales).tables
        scales = problem.refitted(
            format.rowBlockCodebooks ? scales : plain, tables, group: group, wide: !format.rowBlockCodebooks)
        return (scales, codebooks(scales).tables)
    }

    /// The best codebooks for given scales, and the error that they leave.
    func codebooks(_ scales: [UInt16]) -> (tables: [PointTable], error: Double) {
        let width = 3 * PointTable.intervals
        let entries = 1 << format.bits
        let groups = problem.columns / group
        return scales.withUnsafeBufferPointer { scales in
            guard let scales = scales.baseAddress else { return ([], 0) }
            func add(_ block: FitProblem.Block, _ sums: UnsafeMutableBufferPointer<Double>, evenly: Bool = false) {
                fettle_fit_intervals(
                    block.rows, evenly ? nil : block.rowImportance, group, scales + block.firstRow * groups,
                    sums.baseAddress, nil)
            }
            guard format.rowBlockCodebooks else {
                let best = CodebookSolver(sums: problem.sum(width: width) { add($0, $1) }).solve(entries)
                return ([PointTable(points: best.points)], best.error)
            }
            var best = [(points: [Int8], error: Double)](repeating: ([], 0), count: problem.rowBlocks)
            best.withUnsafeMutableBufferPointer { best in
                problem.forEachBlock { block in
                    var sums = [Double](repeating: 0, count: width)
                    sums.withUnsafeMutableBufferPointer { sums in
                        add(block, sums)
                        // Where no row of a block counts, all do.
                        if sums.allSatisfy({ $0 == 0 }) { add(block, sums, evenly: true) }
                    }
                    best[block.index] = CodebookSolver(sums: sums).solve(entries)
                }
            }
            return (best.map { PointTable(points: $0.points) }, best.reduce(0) { $0 + $1.error })
        }
    }

    /// The scales to start from. Short groups start where the largest weight is the outermost entry. A long group may have
    /// outliers that squeeze all other weights into a few entries then: several ranges around what a uniform grid of as many
    /// bits clips to are tried, each with its own best codebook.
    private func start() -> [UInt16] {
        let plain = problem.scalesOfLargest(group: group, point: 127)
        guard group > 256 else { return plain }
        let uniform = IntegerFit(
            format: GridFormat(.uniform, bits: format.bits, .channel), problem: problem, clip: true)
        let clipped = uniform.parameters(group: group).scales.map { Float(Float16(bitPattern: $0)) }
        let longerSide = Float(1 << (format.bits - 1)) / 127
        let candidates =
            [plain]
            + [1, 1.3, 1.7, 2.3, 3].map { wider in
                clipped.map { Float16(min($0 * longerSide * wider, 65504)).bitPattern }
            }
        let errors = candidates.map { codebooks($0).error }
        return candidates[errors.indices.min { errors[$0] < errors[$1] } ?? 0]
    }

    /// The same fit on 32 row blocks: hundreds of weights for each interval of the histogram.
    private func sampled() -> Self {
        Self(format: format, problem: problem.sample(blocks: 32), group: group, clip: clip)
    }
}
