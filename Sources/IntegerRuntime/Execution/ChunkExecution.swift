internal import CKernels
internal import ModelFiles

/// One chunk of tokens through all layers, as one region: every thread runs `run`, takes its own tokens, row blocks and
/// attention rows, and meets the others at barriers.
struct ChunkExecution {
    private let c: Shape
    private let arena: Pointers
    private let embedding: fettle_matrix
    private let head: PlannedProduct
    private let cache: Unmanaged<KVCache>
    private let tokens: UnsafeBufferPointer<Int32>
    /// Position of the first token.
    private let position: Int
    /// Tokens of the chunk whose logits are wanted.
    private let wanted: Range<Int>
    private let logits: UnsafeMutablePointer<Float>?
    private let isa: fettle_isa

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

    /// Query rows that share a key/value head, four at a time, dealt to the threads in turn; one at a time for a single
    /// token.
    private func attend(_ kv: inout fettle_kv, _ queries: UnsafeMutablePointer<Float>, _ share: Share) {
        let group = c.heads / c.keyValueHeads
        let rows = tokens.count * group
        let batch = tokens.count == 1 ? 1 : 4
        let batches = (rows + batch - 1) / batch
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 4) { sources in
            withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: 4) { targets in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 4) { limits in
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
        share.barrier()
        for token in share.range(tokens.count) {
            let at = token * c.feedForward
            fettle_gate(isa, gate + at, up + at, Int32(c.feedForward), arena.rows + at)
        }
        quantize(steps.pointee.down.input, share)
        product(steps.pointee.down, into: arena.update, quantized: steps.pointee.down.input, share)
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
        let input = input(head.input, tokens: wanted.count)
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

    private func input(_ layout: InputLayout, tokens: Int) -> fettle_input {
        layout.input(tokens: tokens, rows: arena.rows, buffers: arena.inputs, instructionSet: isa)
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

extension ChunkExecution {
    /// The numbers of a configuration, without its reference-counted parts.
    private struct Shape {
        let width, feedForward, layers, heads, keyValueHeads, headWidth: Int
        let epsilon: Float
        let adjacent: Bool

        init(_ c: ModelConfiguration) {
            width = c.width
            feedForward = c.feedForward
            layers = c.layers
            heads = c.heads
            keyValueHeads = c.keyValueHeads
            headWidth = c.headWidth
            epsilon = c.normEpsilon
            adjacent = c.rotaryPairing == .adjacent
        }

        /// Numbers of a token's queries.
        var queries: Int { heads * headWidth }
        /// Numbers of a token's keys, or values.
        var keys: Int { keyValueHeads * headWidth }
    }

    /// Where the arena's parts lie.
    private struct Pointers {
        let residual, rows, update, products, angles, norms: UnsafeMutablePointer<Float>
        let frequencies: UnsafeMutablePointer<Double>
        let layers: UnsafeMutablePointer<LayerSteps>
        let inputs: InputBuffers
        private let productBase: UnsafeMutableRawPointer
        private let productBytes: Int
        private let attentionBase: UnsafeMutablePointer<Float>
        private let attentionFloats: Int

        init(_ arena: ActivationArena) {
            let plan = arena.plan
            residual = arena.pointer(plan.residual, to: Float.self)
            rows = arena.pointer(plan.rows, to: Float.self)
            update = arena.pointer(plan.update, to: Float.self)
            products = arena.pointer(plan.products, to: Float.self)
            angles = arena.pointer(plan.angles, to: Float.self)
            norms = arena.pointer(plan.norms, to: Float.self)
            frequencies = arena.pointer(plan.frequencies, to: Double.self)
            layers = arena.pointer(plan.layers, to: LayerSteps.self)
            inputs = arena.inputs
            productBase = arena.productScratch(thread: 0)
            productBytes = plan.productScratchBytes
            attentionBase = arena.attentionScratch(thread: 0)
            attentionFloats = plan.attentionScratchBytes / MemoryLayout<Float>.stride
        }

        func productScratch(_ thread: Int) -> UnsafeMutableRawPointer { productBase + thread * productBytes }
        func attentionScratch(_ thread: Int) -> UnsafeMutablePointer<Float> {
            attentionBase + thread * attentionFloats
        }
    }
}
