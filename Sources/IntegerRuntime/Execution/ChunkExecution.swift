internal import CKernels
internal import ModelFiles

/// One chunk of tokens through all layers, as one region: every thread runs `run`, takes its own tokens, row blocks and
/// attention rows, and meets the others at barriers.
struct ChunkExecution {
    let c: Shape
    let arena: Pointers
    let embedding: fettle_matrix
    let head: PlannedProduct
    let cache: Unmanaged<KVCache>
    let tokens: UnsafeBufferPointer<Int32>
    /// Position of the first token.
    let position: Int
    /// Tokens of the chunk whose logits are wanted.
    let wanted: Range<Int>
    let logits: UnsafeMutablePointer<Float>?
    let isa: fettle_isa

    init(
        configuration: ModelConfiguration, arena: ActivationArena, embedding: fettle_matrix, head: PlannedProduct,
        cache: KVCache, tokens: UnsafeBufferPointer<Int32>, position: Int, wanted: Range<Int>,
        logits: UnsafeMutablePointer<Float>?, isa: fettle_isa
    ) {
        c = Shape(configuration)
        self.arena = Pointers(arena)
        self.embedding = embedding
        self.head = head
        self.cache = Unmanaged.passUnretained(cache)
        self.tokens = tokens
        self.position = position
        self.wanted = wanted
        self.logits = logits
        self.isa = isa
    }

    func run(_ share: Share) {
        if tokens.count == 1 { return runToken(share) }
        embed(share)
        for layer in 0..<c.layers {
            attention(layer, share)
            feedForward(layer, share)
        }
        if !wanted.isEmpty, let logits { output(share, into: logits) }
    }

    /// Embedding rows into the residual stream, and the angles of the chunk's positions.
    private func embed(_ share: Share) {
        var matrix = embedding
        for token in share.range(tokens.count) {
            fettle_matrix_row(&matrix, tokens[token], arena.residual + token * c.width)
            let angles = arena.angles + token * c.headWidth
            fettle_rotary_angles(
                Int32(position + token), arena.frequencies, Int32(c.headWidth / 2), angles, angles + c.headWidth / 2)
        }
    }

    private func attention(_ layer: Int, _ share: Share) {
        let steps = arena.layers + layer
        let update = layer == 0 ? nil : arena.update
        normalize(update: update, norm: 2 * layer, for: steps.pointee.query.input, share)
        let queries = arena.products
        let keys = queries + tokens.count * c.queries
        let values = keys + tokens.count * c.keys
        product(steps.pointee.query, into: queries, quantized: steps.pointee.query.input, share)
        product(steps.pointee.key, into: keys, quantized: steps.pointee.query.input, share)
        product(steps.pointee.value, into: values, quantized: steps.pointee.key.input, share)
        share.barrier()

        var kv = cache._withUnsafeGuaranteedRef { $0.layer(layer) }
        for token in share.range(tokens.count) {
            let angles = arena.angles + token * c.headWidth
            let query = queries + token * c.queries
            let key = keys + token * c.keys
            fettle_rotate_pairs(query, Int32(c.heads), Int32(c.headWidth), c.adjacent, angles, angles + c.headWidth / 2)
            fettle_rotate_pairs(
                key, Int32(c.keyValueHeads), Int32(c.headWidth), c.adjacent, angles, angles + c.headWidth / 2)
            fettle_kv_store(isa, &kv, Int32(position + token), key, values + token * c.keys)
        }
        share.barrier()
        attend(&kv, queries, share)
        share.barrier()
        quantize(steps.pointee.attentionOutput.input, share)
        product(
            steps.pointee.attentionOutput, into: arena.update, quantized: steps.pointee.attentionOutput.input, share)
        share.barrier()
    }

    /// Query rows that share a key/value head, some at a time, dealt to the threads in turn.
    private func attend(_ kv: inout fettle_kv, _ queries: UnsafeMutablePointer<Float>, _ share: Share) {
        let group = c.heads / c.keyValueHeads
        let rows = tokens.count * group
        let batch = Int(FETTLE_QUERY_ROWS)
        let batches = (rows + batch - 1) / batch
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: batch) { sources in
            withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: batch) { targets in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: batch) { limits in
                    for index in stride(from: share.thread, to: batches * c.keyValueHeads, by: share.threads) {
                        let (kvHead, first) = (index / batches, index % batches * batch)
                        let count = min(batch, rows - first)
                        for row in 0..<count {
                            let (token, member) = ((first + row) / group, (first + row) % group)
                            let at = token * c.queries + (kvHead * group + member) * c.headWidth
                            sources[row] = UnsafePointer(queries + at)
                            targets[row] = arena.rows + at
                            limits[row] = Int32(position + token + 1)
                        }
                        fettle_attend_cache(
                            isa, &kv, Int32(kvHead), sources.baseAddress, limits.baseAddress, Int32(count),
                            arena.attentionScratch(share.thread), targets.baseAddress)
                    }
                }
            }
        }
    }

    private func feedForward(_ layer: Int, _ share: Share) {
        let steps = arena.layers + layer
        normalize(update: arena.update, norm: 2 * layer + 1, for: steps.pointee.gate.input, share)
        let gate = arena.products
        let up = gate + tokens.count * c.feedForward
        product(steps.pointee.gate, into: gate, quantized: steps.pointee.gate.input, share)
        product(steps.pointee.up, into: up, quantized: steps.pointee.gate.input, share)

        // A thread has made the same columns of gate and up, and needs no other's; nor does it to quantize whole groups.
        let blocks = steps.pointee.gate.step.blocks
        let columns = share.columns(ofBlocks: blocks)
        for token in 0..<tokens.count {
            let own = gate + token * c.feedForward + columns.lowerBound
            fettle_gate(isa, own, up + token * c.feedForward + columns.lowerBound, Int32(columns.count), own)
        }
        share.barrier()
        let layout = steps.pointee.down.input
        let input = layout.input(
            tokens: tokens.count, rows: gate, buffers: arena.inputs, instructionSet: isa, position: position)
        if !layout.isFloat, share.divides(blocks: blocks, by: layout.scaleColumns) {
            share.quantize(input, columns: columns, isa)
        } else {
            share.quantize(input, isa)
        }
        share.barrier()
        steps.pointee.down.step.run(
            input, share, isa, scratch: arena.productScratch(share.thread), into: arena.update,
            stride: steps.pointee.down.rows)
        share.barrier()
    }

    /// The wanted tokens' logits.
    private func output(_ share: Share, into logits: UnsafeMutablePointer<Float>) {
        let norm = arena.norms + 2 * c.layers * c.width
        for row in share.range(wanted.count) {
            let at = (wanted.lowerBound + row) * c.width
            fettle_add_norm(
                isa, arena.residual + at, c.layers == 0 ? nil : arena.update + at, norm, c.epsilon, Int32(c.width),
                arena.rows + row * c.width)
        }
        let input = input(head.input, tokens: wanted.count, first: wanted.lowerBound)
        share.quantize(input, isa)
        share.barrier()
        head.step.run(
            input, share, isa, scratch: arena.productScratch(share.thread), into: logits, stride: head.rows)
    }

    /// Adds `update` to the residual stream, normalizes it into the rows that products read, and quantizes these.
    private func normalize(
        update: UnsafeMutablePointer<Float>?, norm: Int, for layout: InputLayout, _ share: Share
    ) {
        for token in share.range(tokens.count) {
            let at = token * c.width
            fettle_add_norm(
                isa, arena.residual + at, update.map { $0 + at }, arena.norms + norm * c.width, c.epsilon,
                Int32(c.width), arena.rows + at)
        }
        quantize(layout, share)
    }

    private func input(_ layout: InputLayout, tokens: Int, first: Int = 0) -> fettle_input {
        layout.input(
            tokens: tokens, rows: arena.rows, buffers: arena.inputs, instructionSet: isa, position: position + first)
    }

    /// Quantizes this thread's rows, which it has just written or which a barrier has published, and waits for the
    /// others.
    private func quantize(_ layout: InputLayout, _ share: Share) {
        share.quantize(input(layout, tokens: tokens.count), isa)
        share.barrier()
    }

    /// One product of the rows. Where they are quantized in another layout than it needs, they are quantized again.
    private func product(
        _ planned: PlannedProduct, into target: UnsafeMutablePointer<Float>, quantized: InputLayout, _ share: Share
    ) {
        if planned.input != quantized {
            share.barrier()
            quantize(planned.input, share)
        }
        planned.step.run(
            input(planned.input, tokens: tokens.count), share, isa, scratch: arena.productScratch(share.thread),
            into: target, stride: planned.rows)
    }
}
