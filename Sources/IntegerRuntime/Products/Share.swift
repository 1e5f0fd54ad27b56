internal import CKernels

/// One thread's share of a region: which tokens and row blocks are its own, and how it meets the others.
struct Share {
    let thread: Int
    let threads: Int
    let pool: OpaquePointer?

    /// The part of 0..<count that belongs to this thread.
    func range(_ count: Int) -> Range<Int> {
        count * thread / threads..<count * (thread + 1) / threads
    }

    /// The rows of this thread's row blocks of a matrix that has `blocks`.
    func columns(ofBlocks blocks: Int) -> Range<Int> {
        let own = range(blocks)
        return own.lowerBound * Int(FETTLE_ROW_BLOCK)..<own.upperBound * Int(FETTLE_ROW_BLOCK)
    }

    /// Whether every thread's row blocks are whole groups of `columns` rows.
    func divides(blocks: Int, by columns: Int) -> Bool {
        (1...threads).allSatisfy { (blocks * $0 / threads * Int(FETTLE_ROW_BLOCK)).isMultiple(of: columns) }
    }

    /// Waits for every thread of the region.
    func barrier() {
        if threads > 1, let pool { fettle_pool_barrier(pool) }
    }

    /// The same; while it waits, this thread loads the weights that it multiplies next.
    func barrier(before next: ProductStep) {
        guard threads > 1, let pool else { return }
        var matrix = next.matrix
        let own = range(next.blocks)
        var bytes = 0
        let first = fettle_row_blocks(&matrix, Int32(own.lowerBound), Int32(own.upperBound), &bytes)
        fettle_pool_barrier_loading(pool, first, min(bytes, Self.ahead))
    }

    /// Bytes that a waiting thread loads at most: they must still be in its second-level cache when it comes to them.
    private static let ahead = 128 << 10

    /// Quantizes this thread's tokens of an input; the first thread also clears places that no token takes.
    func quantize(_ input: fettle_input, _ isa: fettle_isa) {
        guard input.kind != FETTLE_INPUT_FLOAT, let rows = input.floats else { return }
        var input = input
        for token in range(Int(input.tokens)) {
            fettle_quantize(isa, rows + token * Int(input.columns), Int32(token), 0, input.columns, &input)
        }
        if thread == 0 { fettle_zero_absent(&input) }
    }

    /// Quantizes some columns, whole groups, of every token of an input; the first thread also clears places that no token
    /// takes.
    func quantize(_ input: fettle_input, columns: Range<Int>, _ isa: fettle_isa) {
        guard let rows = input.floats else { return }
        var input = input
        for token in 0..<Int(input.tokens) {
            fettle_quantize(
                isa, rows + token * Int(input.columns), Int32(token), Int32(columns.lowerBound),
                Int32(columns.upperBound), &input)
        }
        if thread == 0 { fettle_zero_absent(&input) }
    }
}

/// One matrix of a region's sequence of products: plain data, so that threads read it without counting references.
struct ProductStep {
    var matrix: fettle_matrix
    var blocks: Int

    /// This thread's row blocks times `input`; results go to `target`, `stride` floats for each token.
    func run(
        _ input: fettle_input, _ share: Share, _ isa: fettle_isa, scratch: UnsafeMutableRawPointer,
        into target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var matrix = matrix
        var input = input
        let own = share.range(blocks)
        fettle_packed_product(
            isa, &matrix, &input, Int32(own.lowerBound), Int32(own.upperBound), scratch, target, stride)
    }
}
