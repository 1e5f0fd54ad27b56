internal import CKernels
package import Compute
package import Quantization

/// A packed weight matrix together with the activation that feeds it: one matrix product of the integer runtime.
package struct RuntimeMatrix: @unchecked Sendable {
    package let format: Format
    package let layout: R16Layout
    package let activation: Activation
    /// What the kernels read; it points into memory that `owner` keeps and that never moves.
    let kernel: fettle_matrix
    let inputLayout: InputLayout
    private let owner: AnyObject

    /// The product of `packed` with inputs quantized as `activation` says. Throws as the other initializer.
    package init(packed: PackedMatrix, activation: Activation, frozenScale: Float? = nil) throws(RuntimeError) {
        guard let base = packed.bytes.bytes.baseAddress else {
            throw RuntimeError(.malformedWeights, place: "\(packed.format)", "the matrix has no bytes")
        }
        try self.init(
            format: packed.format, layout: packed.layout,
            placed: PlacedBlocks(
                prologue: base, blocks: base + packed.layout.prologueBytes, shares: 1, shareStride: 0,
                owner: packed.bytes),
            activation: activation, frozenScale: frozenScale)
    }

    /// The product of a matrix of `format` and `layout` with inputs quantized as `activation` says. Throws for a pair that has
    /// no kernel, or whose 32-bit sums could overflow.
    package init(
        format: Format, layout: R16Layout, placed: PlacedBlocks, activation: Activation, frozenScale: Float? = nil
    ) throws(RuntimeError) {
        let input = try InputLayout(activation, columns: layout.columns, frozenScale: frozenScale)
        let isHalf = layout.bits == Int(FETTLE_FLOAT16_BITS)
        guard !isHalf || input.isFloat else {
            throw RuntimeError(
                .unsupported, place: "\(format)/\(activation.rawValue)",
                "half-precision weights take float activations only; choose float")
        }
        if !input.isFloat { try Self.checkSegments(format, layout, input) }
        self.format = format
        self.layout = layout
        self.activation = activation
        inputLayout = input
        owner = placed.owner
        kernel = fettle_matrix(layout, placed)
    }

    package var rows: Int { layout.rows }
    package var columns: Int { layout.columns }
    /// Bytes that the weights take, tables and scales included.
    package var packedBytes: Int { layout.byteCount }
    var rowBlocks: Int { layout.rowBlocks }

    /// A segment, the smaller of weight group and activation group, must be whole sums and divide the larger, and
    /// 255 * 127 * segment must fit 32 bits.
    private static func checkSegments(_ format: Format, _ layout: R16Layout, _ input: InputLayout) throws(RuntimeError)
    {
        let smaller = min(layout.group, input.scaleColumns)
        let larger = max(layout.group, input.scaleColumns)
        let longest = Int(Int32.max) / (255 * 127)
        let isHalfTile = smaller == 16 && layout.codebooks == 0
        guard larger.isMultiple(of: smaller), smaller.isMultiple(of: input.sumColumns),
            smaller.isMultiple(of: 32) || isHalfTile
        else {
            throw RuntimeError(
                .unsupported, place: "\(format)",
                "weight groups of \(layout.group) do not go with activation groups of \(input.scaleColumns)"
            )
        }
        guard smaller <= longest else {
            throw RuntimeError(
                .unsupported, place: "\(format)",
                "32-bit sums over \(smaller) columns could overflow (at most \(longest)); choose groups")
        }
    }

    /// Rows of inputs [T x columns] to rows of outputs [T x rows]. The first row stands at `position`, and a sequence begins at
    /// every multiple of `sequence`.
    package func multiply(
        _ inputs: Matrix, position: Int = 1, sequence: Int = Int(Int32.max), pool: ThreadPool
    ) throws(RuntimeError) -> Matrix {
        var outputs = Matrix(rows: inputs.rows, columns: rows)
        try multiply(inputs, into: &outputs, column: 0, position: position, sequence: sequence, pool: pool)
        return outputs
    }

    /// As above, into the columns of `outputs` from `column` on.
    package func multiply(
        _ inputs: Matrix, into outputs: inout Matrix, column: Int, position: Int, sequence: Int, pool: ThreadPool
    ) throws(RuntimeError) {
        guard inputs.columns == columns, outputs.rows == inputs.rows, column >= 0, column + rows <= outputs.columns
        else {
            throw RuntimeError(
                .malformedWeights, place: "\(format)",
                "inputs of \(inputs.rows) x \(inputs.columns) and outputs of \(outputs.rows) x \(outputs.columns) from column "
                    + "\(column) on, for a matrix of \(rows) x \(columns)")
        }
        guard inputs.rows > 0 else { return }
        var plan = RegionPlan()
        let buffers = InputBuffers.Plan(
            places: InputBuffers.wholePanels(inputs.rows * inputLayout.placesPerToken), columns: columns, in: &plan)
        let scratchBytes = fettle_packed_product_scratch(Int32(columns), Int32(inputs.rows))
        let scratch = plan.reserve(scratchBytes * pool.threads)
        let region = try MappedRegion(byteCount: plan.byteCount, for: "matrix product")
        let isa = pool.instructionSet.cValue
        let stride = outputs.columns
        inputs.values.withUnsafeBufferPointer { rows in
            outputs.values.withUnsafeMutableBufferPointer { results in
                // The kernels take inputs as mutable, since the model's own are; they only read them.
                guard let source = UnsafeMutablePointer(mutating: rows.baseAddress), let base = results.baseAddress
                else { return }
                let target = base + column
                let input = inputLayout.input(
                    tokens: inputs.rows, rows: source, buffers: InputBuffers(plan: buffers, base: region.base),
                    instructionSet: isa, position: position, sequence: sequence)
                let step = ProductStep(matrix: kernel, blocks: rowBlocks)
                pool.run { thread, threads in
                    let share = Share(thread: thread, threads: threads, pool: pool.handle)
                    share.quantize(input, isa)
                    share.barrier()
                    step.run(
                        input, share, isa, scratch: region.base + scratch + thread * scratchBytes, into: target,
                        stride: stride)
                }
            }
        }
        withExtendedLifetime((owner, region)) {}
    }
}

extension fettle_matrix {
    /// The view that kernels take of a matrix whose parts are placed; they must outlive it.
    init(_ layout: R16Layout, _ placed: PlacedBlocks) {
        self.init()
        blocks = placed.blocks.assumingMemoryBound(to: UInt8.self)
        shares = Int32(placed.shares)
        share_bytes = placed.shareStride
        if layout.codebooks > 0 {
            codebooks = (placed.prologue + layout.codebookOffset).assumingMemoryBound(to: Int8.self)
            codebook_stride = layout.codebooks > 1 ? layout.codebookEntries : 0
        }
        block_bytes = layout.blockStride
        offsets_at = layout.scaleBytes
        tiles_at = layout.tileOffset
        rows = Int32(layout.rows)
        columns = Int32(layout.columns)
        group = Int32(layout.group)
        bits = Int32(layout.bits)
        switch layout.scales {
        case .tensor:
            scales = FETTLE_SCALE_TENSOR
            tensor_scale = Float(Float16(bitPattern: placed.prologue.loadUnaligned(as: UInt16.self)))
        case .float16: scales = FETTLE_SCALE_FLOAT16
        case .float32: scales = FETTLE_SCALE_FLOAT32
        case .absent: scales = FETTLE_SCALE_TENSOR
        }
        switch layout.offsets {
        case .constant(let value):
            offsets = FETTLE_OFFSET_CONSTANT
            offset = layout.codebooks > 0 ? 0 : Int32(value)
        case .zeroPoints: offsets = FETTLE_OFFSET_ZERO_POINTS
        case .minimums: offsets = FETTLE_OFFSET_MINIMUMS
        }
    }
}
