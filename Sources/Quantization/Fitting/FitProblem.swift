internal import CKernels
internal import Compute

/// A matrix to be fitted, what its columns and rows count in the error, and the threads to do it on.
struct FitProblem {
    let weights: Matrix
    /// Of each column; nil for all the same.
    let importance: [Float]?
    /// Of each row; nil for all the same.
    let rowImportance: [Float]?
    let pool: ThreadPool

    var rows: Int { weights.rows }
    var columns: Int { weights.columns }
    var rowBlocks: Int { R16Layout.rowBlocks(rows: rows) }
    var instructionSet: fettle_isa { pool.instructionSet.cValue }

    /// Nil where nothing counts: then everything counts the same.
    static func meaningful(_ importance: [Float]) -> [Float]? {
        importance.contains { $0 > 0 } ? importance : nil
    }

    /// The same problem on at most `count` of its row blocks, evenly spaced.
    func sample(blocks count: Int) -> FitProblem {
        guard rowBlocks > count else { return self }
        let chosen = sampledRows(blocks: count)
        return FitProblem(
            weights: Matrix(rows: chosen.count, columns: columns, values: chosen.flatMap { weights[row: $0] }),
            importance: importance,
            rowImportance: rowImportance.flatMap { all in Self.meaningful(chosen.map { all[$0] }) }, pool: pool)
    }

    /// The rows of `count` of its row blocks, evenly spaced.
    func sampledRows(blocks count: Int) -> [Int] {
        (0..<count).flatMap { index in
            let first = index * rowBlocks / count * R16Layout.rowsPerBlock
            return first..<min(first + R16Layout.rowsPerBlock, rows)
        }
    }

    /// Some rows of the matrix, as the kernels take them.
    struct Block {
        let index: Int
        /// The first of up to 16 rows.
        let firstRow: Int
        let rows: UnsafePointer<fettle_fit_rows>
        /// Of the first row; nil for all the same.
        let rowImportance: UnsafePointer<Float>?
    }

    /// Calls `body` for each block of 16 rows, in parallel.
    func forEachBlock(_ body: (Block) -> Void) {
        withPointers { pointers in
            pool.forEach(rowBlocks) { withBlock($0, pointers, body) }
        }
    }

    /// Calls `body` for each block of 16 rows, in parallel, with room for a fit of groups of `group` columns.
    func forEachBlock(group: Int, _ body: (Block, _ scratch: UnsafeMutablePointer<Float>) -> Void) {
        forEachBlock { block in
            let scratch = UnsafeMutableRawPointer.allocate(
                byteCount: fettle_fit_scratch(group) * MemoryLayout<Float>.stride, alignment: AlignedBytes.alignment)
            defer { scratch.deallocate() }
            body(block, scratch.assumingMemoryBound(to: Float.self))
        }
    }

    /// Sums over row blocks: each of at most 16 runs of blocks adds up in order what `add` puts into `width` numbers, and the
    /// runs are added up in order, so that the sum does not depend on the threads.
    func sum(width: Int, _ add: (Block, _ sums: UnsafeMutableBufferPointer<Double>) -> Void) -> [Double] {
        let runs = min(16, rowBlocks)
        var partial = [Double](repeating: 0, count: runs * width)
        withPointers { pointers in
            partial.withUnsafeMutableBufferPointer { partial in
                pool.forEach(runs) { run in
                    let sums = UnsafeMutableBufferPointer(rebasing: partial[run * width..<(run + 1) * width])
                    for index in rowBlocks * run / runs..<rowBlocks * (run + 1) / runs {
                        withBlock(index, pointers) { add($0, sums) }
                    }
                }
            }
        }
        return (0..<width).map { slot in (0..<runs).reduce(0) { $0 + partial[$1 * width + slot] } }
    }

    private struct Pointers {
        let weights: UnsafePointer<Float>
        let importance: UnsafePointer<Float>?
        let rowImportance: UnsafePointer<Float>?
    }

    private func withPointers(_ body: (Pointers) -> Void) {
        weights.values.withUnsafeBufferPointer { weights in
            (importance ?? []).withUnsafeBufferPointer { columns in
                (rowImportance ?? []).withUnsafeBufferPointer { rows in
                    guard let weights = weights.baseAddress else { return }
                    body(
                        Pointers(
                            weights: weights, importance: importance == nil ? nil : columns.baseAddress,
                            rowImportance: rowImportance == nil ? nil : rows.baseAddress))
                }
            }
        }
    }

    private func withBlock(_ index: Int, _ pointers: Pointers, _ body: (Block) -> Void) {
        let first = index * R16Layout.rowsPerBlock
        let rows = fettle_fit_rows(
            weights: pointers.weights + first * columns, stride: columns,
            rows: Int32(min(R16Layout.rowsPerBlock, rows - first)), columns: columns, importance: pointers.importance)
        withUnsafePointer(to: rows) {
            body(
                Block(index: index, firstRow: first, rows: $0, rowImportance: pointers.rowImportance.map { $0 + first })
            )
        }
    }
}
