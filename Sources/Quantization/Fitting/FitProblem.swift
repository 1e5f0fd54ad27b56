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

    /// The same problem on at most `count` of its row blocks, evenly spaced.
    func sample(blocks count: Int) -> FitProblem {
        guard rowBlocks > count else { return self }
        let chosen = (0..<count).flatMap { index in
            let first = index * rowBlocks / count * R16Layout.rowsPerBlock
            return first..<min(first + R16Layout.rowsPerBlock, rows)
        }
        return FitProblem(
            weights: Matrix(rows: chosen.count, columns: columns, values: chosen.flatMap { weights[row: $0] }),
            importance: importance, rowImportance: rowImportance.map { all in chosen.map { all[$0] } }, pool: pool)
    }

    /// Some rows of the matrix, as the kernels take them.
    struct Block {
        let index: Int
        /// The first of up to 16 rows.
        let firstRow: Int
        var rows: fettle_fit_rows
        /// Of the first row; nil for all the same.
        let rowImportance: UnsafePointer<Float>?
    }

    /// Calls `body` for each block of 16 rows, in parallel.
    func forEachBlock(_ body: (Block) -> Void) {
        withPointers { weights, importance, rowImportance in
            pool.forEach(rowBlocks) { body(block($0, weights, importance, rowImportance)) }
        }
    }

    /// Sums over row blocks: each of at most 16 runs of blocks adds up in order what `add` puts into `width` numbers, and the
    /// runs are added up in order, so that the sum does not depend on the threads.
    func sum(width: Int, _ add: (Block, UnsafeMutablePointer<Double>) -> Void) -> [Double] {
        let runs = min(16, rowBlocks)
        var partial = [Double](repeating: 0, count: runs * width)
        withPointers { weights, importance, rowImportance in
            partial.withUnsafeMutableBufferPointer { partial in
                pool.forEach(runs) { run in
                    guard let sums = UnsafeMutableBufferPointer(rebasing: partial[(run * width)...]).baseAddress else {
                        return
                    }
                    for index in rowBlocks * run / runs..<rowBlocks * (run + 1) / runs {
                        add(block(index, weights, importance, rowImportance), sums)
                    }
                }
            }
        }
        return (0..<width).map { slot in (0..<runs).reduce(0) { $0 + partial[$1 * width + slot] } }
    }

    private func withPointers(
        _ body: (UnsafePointer<Float>, UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
    ) {
        weights.values.withUnsafeBufferPointer { weights in
            (importance ?? []).withUnsafeBufferPointer { importance in
                (rowImportance ?? []).withUnsafeBufferPointer { rowImportance in
                    guard let first = weights.baseAddress else { return }
                    body(
                        first, self.importance == nil ? nil : importance.baseAddress,
                        self.rowImportance == nil ? nil : rowImportance.baseAddress)
                }
            }
        }
    }

    private func block(
        _ index: Int, _ weights: UnsafePointer<Float>, _ importance: UnsafePointer<Float>?,
        _ rowImportance: UnsafePointer<Float>?
    ) -> Block {
        let first = index * R16Layout.rowsPerBlock
        return Block(
            index: index, firstRow: first,
            rows: fettle_fit_rows(
                weights: weights + first * columns, stride: columns,
                rows: Int32(min(R16Layout.rowsPerBlock, rows - first)), columns: columns, importance: importance),
            rowImportance: rowImportance.map { $0 + first })
    }
}

/// Room for one group of 16 rows, on a 64-byte boundary.
func withScratch(group: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let bytes = UnsafeMutableRawPointer.allocate(
        byteCount: fettle_fit_scratch(group) * MemoryLayout<Float>.stride, alignment: AlignedBytes.alignment)
    defer { bytes.deallocate() }
    body(bytes.assumingMemoryBound(to: Float.self))
}
