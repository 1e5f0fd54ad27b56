internal import CKernels

extension ChunkExecution {
    /// A chunk of one token. Norms and quantized inputs are so little that each thread makes them for itself, in a place of
    /// its own, instead of waiting for another; row blocks, heads and the gate's columns are divided.
    func runToken(_ share: Share) {
        let own = Place(arena, index: share.thread)
        let common = Place(arena, index: share.threads)
        var matrix = embedding
        fettle_matrix_row(&matrix, tokens[0], own.residual)
        if share.thread == 0 {
            fettle_rotary_angles(
                Int32(position), arena.frequencies, Int32(c.headWidth / 2), arena.angles,
                arena.angles + c.headWidth / 2)
        }
        for layer in 0..<c.layers {
            attention(layer, own, common, share)
            feedForward(layer, own, common, share)
        }
        guard !wanted.isEmpty, let logits else { return }
        normalize(own, update: c.layers > 0, norm: 2 * c.layers)
        product(head, quantized(head.input, own.rows, in: own), share, into: logits)
    }

    private func attention(_ layer: Int, _ own: Place, _ common: Place, _ share: Share) {
        let steps = arena.layers + layer
        normalize(own, update: layer > 0, norm: 2 * layer)
        let queries = arena.products
        let keys = queries + c.queries
        let values = keys + c.keys
        var input = quantized(steps.pointee.query.input, own.rows, in: own)
        product(steps.pointee.query, input, share, into: queries)
        if steps.pointee.key.input != steps.pointee.query.input {
            input = quantized(steps.pointee.key.input, own.rows, in: own)
        }
        product(steps.pointee.key, input, share, into: keys)
        if steps.pointee.value.input != steps.pointee.key.input {
            input = quantized(steps.pointee.value.input, own.rows, in: own)
        }
        product(steps.pointee.value, input, share, into: values)
        share.barrier(before: steps.pointee.attentionOutput.step)

        let kv = cache._withUnsafeGuaranteedRef { $0.layer(layer) }
        rotate(queries, heads: share.range(c.heads))
        let stored = share.range(c.keyValueHeads)
        rotate(keys, heads: stored)
        var part = kv.heads(stored)
        fettle_kv_store(
            isa, &part, Int32(position), keys + stored.lowerBound * c.headWidth,
            values + stored.lowerBound * c.headWidth)
        share.barrier()
        attend(kv, queries, into: common.rows, share)
        share.barrier(before: steps.pointee.attentionOutput.step)
        product(
            steps.pointee.attentionOutput, quantized(steps.pointee.attentionOutput.input, common.rows, in: own), share,
            into: arena.update)
        share.barrier(before: steps.pointee.gate.step)
    }

    private func rotate(_ rows: UnsafeMutablePointer<Float>, heads: Range<Int>) {
        fettle_rotate_pairs(
            rows + heads.lowerBound * c.headWidth, Int32(heads.count), Int32(c.headWidth), c.adjacent, arena.angles,
            arena.angles + c.headWidth / 2)
    }

    /// This thread's heads.
    private func attend(
        _ kv: fettle_kv, _ queries: UnsafeMutablePointer<Float>, into rows: UnsafeMutablePointer<Float>, _ share: Share
    ) {
        var kv = kv
        let group = c.heads / c.keyValueHeads
        var limit = Int32(position + 1)
        for head in share.range(c.heads) {
            var query: UnsafePointer<Float>? = UnsafePointer(queries + head * c.headWidth)
            var target: UnsafeMutablePointer<Float>? = rows + head * c.headWidth
            fettle_attend_cache(
                isa, &kv, Int32(head / group), &query, &limit, 1, arena.attentionScratch(share.thread), &target)
        }
    }

    private func feedForward(_ layer: Int, _ own: Place, _ common: Place, _ share: Share) {
        let steps = arena.layers + layer
        normalize(own, update: true, norm: 2 * layer + 1)
        let gate = arena.products
        let up = gate + c.feedForward
        var input = quantized(steps.pointee.gate.input, own.rows, in: own)
        product(steps.pointee.gate, input, share, into: gate)
        if steps.pointee.up.input != steps.pointee.gate.input {
            input = quantized(steps.pointee.up.input, own.rows, in: own)
        }
        product(steps.pointee.up, input, share, into: up)

        // As for several tokens: a thread needs no other's columns.
        let blocks = steps.pointee.gate.step.blocks
        let columns = share.columns(ofBlocks: blocks)
        let first = columns.lowerBound
        fettle_gate(isa, gate + first, up + first, Int32(columns.count), common.rows + first)
        let layout = steps.pointee.down.input
        if !layout.isFloat, share.divides(blocks: blocks, by: layout.scaleColumns) {
            input = self.input(layout, common.rows, in: common)
            fettle_quantize(isa, common.rows, 0, Int32(first), Int32(columns.upperBound), &input)
            if share.thread == 0 { fettle_zero_absent(&input) }
            share.barrier(before: steps.pointee.down.step)
        } else {
            share.barrier(before: steps.pointee.down.step)
            input = quantized(layout, common.rows, in: own)
        }
        product(steps.pointee.down, input, share, into: arena.update)
        share.barrier(before: layer + 1 < c.layers ? (steps + 1).pointee.query.step : head.step)
    }

    /// Adds the last update to the thread's own residual stream, and normalizes it into its own rows.
    private func normalize(_ own: Place, update: Bool, norm: Int) {
        fettle_add_norm(
            isa, own.residual, update ? arena.update : nil, arena.norms + norm * c.width, c.epsilon, Int32(c.width),
            own.rows)
    }

    /// `rows`, quantized in `place`.
    private func quantized(
        _ layout: InputLayout, _ rows: UnsafeMutablePointer<Float>, in place: Place
    ) -> fettle_input {
        var input = input(layout, rows, in: place)
        if !layout.isFloat {
            fettle_quantize(isa, rows, 0, 0, input.columns, &input)
            fettle_zero_absent(&input)
        }
        return input
    }

    private func input(_ layout: InputLayout, _ rows: UnsafeMutablePointer<Float>, in place: Place) -> fettle_input {
        layout.input(
            tokens: 1, rows: rows, buffers: place.inputs, instructionSet: isa, position: position)
    }

    private func product(
        _ planned: PlannedProduct, _ input: fettle_input, _ share: Share, into target: UnsafeMutablePointer<Float>
    ) {
        planned.step.run(
            input, share, isa, scratch: arena.productScratch(share.thread), into: target, stride: planned.rows)
    }

    /// Room for one token: a thread's own, or the one that all share.
    private struct Place {
        let residual: UnsafeMutablePointer<Float>
        let rows: UnsafeMutablePointer<Float>
        let inputs: InputBuffers

        init(_ arena: Pointers, index: Int) {
            residual = arena.residual + index * arena.width
            rows = arena.rows + index * arena.widest
            inputs = arena.inputs.single(index)
        }
    }
}

extension fettle_kv {
    /// Some heads of the cache, as a cache of their own.
    fileprivate func heads(_ range: Range<Int>) -> fettle_kv {
        var part = self
        let slot = range.lowerBound * Int(capacity)
        part.heads = Int32(range.count)
        part.keys = keys?.advanced(by: fettle_kv_bytes(format, slot * Int(head_width)))
        part.values = values?.advanced(by: fettle_kv_bytes(format, slot * Int(value_stride)))
        if format != FETTLE_KV_FLOAT16 {
            part.key_scales = key_scales?.advanced(by: slot)
            part.value_scales = value_scales?.advanced(by: slot)
        }
        return part
    }
}
