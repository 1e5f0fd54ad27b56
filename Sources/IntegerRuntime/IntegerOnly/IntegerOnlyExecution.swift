internal import CKernels
internal import Compute
internal import ModelFiles

/// A model in integers alone: tables are made of floating-point numbers once, when it is loaded, and from a token's id to
/// the arg max of its logits nothing else is.
final class IntegerOnlyExecution {
    private let configuration: ModelConfiguration
    private let arena: IntegerOnlyArena
    private let pool: ThreadPool
    private var model = fettle_integer_model()

    /// Tokens that run together at most.
    var chunk: Int { arena.plan.chunk }

    /// Prepares `weights`, which must outlive this. Throws where a matrix has no integer-only kernel, or where memory is short.
    init(
        configuration c: ModelConfiguration, weights: RuntimeWeights, context: Int, chunk: Int, pool: ThreadPool
    ) throws(RuntimeError) {
        configuration = c
        self.pool = pool
        arena = try IntegerOnlyArena(
            plan: IntegerOnlyArena.Plan(c, context: context, chunk: chunk, threads: pool.threads))
        setShape()
        setBuffers()
        setRotary(context: context)
        try setLayers(weights)
    }

    /// Runs `tokens` after the `position` that `cache` holds. The logits of `wanted` are written to `logits` [token x
    /// vocabulary].
    func run(
        tokens: UnsafeBufferPointer<Int32>, position: Int, cache: KVCache, wanted: Range<Int>,
        into logits: UnsafeMutablePointer<Float>?
    ) {
        let vocabulary = configuration.vocabulary
        let kv = (0..<configuration.layers).map { fettle_integer_kv(cache.layer($0)) }
        // Integers and floats have one size: the numbers are converted where they lie.
        let raw = logits.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Int32.self) }
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, wanted.count)) { exponents in
            _ = fettle_integer_run(
                pool.instructionSet.cValue, pool.handle, &model, kv, Int32(cache.positions), tokens.baseAddress,
                Int32(tokens.count), Int32(position), Int32(wanted.lowerBound), Int32(wanted.upperBound), raw,
                exponents.baseAddress)
            guard let logits, let raw else { return }
            for row in 0..<wanted.count {
                let unit = Float(sign: .plus, exponent: Int(exponents[row]), significand: 1)
                for index in row * vocabulary..<(row + 1) * vocabulary { logits[index] = Float(raw[index]) * unit }
            }
        }
        withExtendedLifetime(arena) {}
    }

    private func setShape() {
        let c = configuration
        model.layer_count = Int32(c.layers)
        model.width = Int32(c.width)
        model.feed_forward = Int32(c.feedForward)
        model.heads = Int32(c.heads)
        model.key_value_heads = Int32(c.keyValueHeads)
        model.head_width = Int32(c.headWidth)
        model.window = Int32(c.window ?? 0)
        model.value_stride = Int32((c.headWidth + 15) / 16 * 16)
        model.chunk = Int32(chunk)
        model.adjacent = c.rotaryPairing == .adjacent
        (model.epsilon, model.epsilon_exponent) = Self.dyadic(Double(c.normEpsilon), bits: 30)
        let log2e = 1.4426950408889634
        (model.attention_scale, model.attention_exponent) = Self.dyadic(
            log2e / Double(c.headWidth).squareRoot(), bits: 15)
    }

    private func setBuffers() {
        let plan = arena.plan
        model.buffers = fettle_integer_buffers(
            residual: arena.pointer(plan.residual), rows: arena.pointer(plan.rows), update: arena.pointer(plan.update),
            products: arena.pointer(plan.products), exponents: arena.pointer(plan.exponents),
            head_exponents: arena.pointer(plan.headExponents), inputs: arena.pointer(plan.inputs),
            input_shifts: arena.pointer(plan.inputShifts), input_sums: arena.pointer(plan.inputSums),
            input_scales: arena.pointer(plan.inputScales), scratch: arena.pointer(plan.scratch),
            scratch_bytes: plan.scratchBytes)
    }

    /// The angles of every position, times 2^14.
    private func setRotary(context: Int) {
        let width = configuration.headWidth
        let table = arena.pointer(arena.plan.rotary, to: Int16.self)
        let frequencies = configuration.rotaryFrequencies
        var angles = [Float](repeating: 0, count: width)
        for position in 0..<context {
            angles.withUnsafeMutableBufferPointer { angles in
                guard let base = angles.baseAddress else { return }
                fettle_rotary_angles(Int32(position), frequencies, Int32(width / 2), base, base + width / 2)
            }
            for (index, angle) in angles.enumerated() {
                table[position * width + index] = Int16((angle * 16384).rounded(.toNearestOrEven))
            }
        }
        model.rotary = UnsafePointer(table)
    }

    private func setLayers(_ weights: RuntimeWeights) throws(RuntimeError) {
        let c = configuration
        var exponents = arena.pointer(arena.plan.rowExponents, to: Int8.self)
        func matrix(_ name: String) throws(RuntimeError) -> fettle_integer_matrix {
            let matrix = try weights.matrix(name, in: c)
            defer { exponents += IntegerOnlyMatrix.exponentBytes(rows: matrix.rows) }
            return try IntegerOnlyMatrix(matrix, name: name, exponents: exponents).kernel
        }
        let layers = arena.pointer(arena.plan.layers, to: fettle_integer_layer.self)
        for index in 0..<c.layers {
            func part(_ part: TensorName.Part) throws(RuntimeError) -> fettle_integer_matrix {
                try matrix(TensorName.layer(index, part))
            }
            (layers + index).initialize(
                to: fettle_integer_layer(
                    query: try part(.query), key: try part(.key), value: try part(.value),
                    attention_output: try part(.attentionOutput), gate: try part(.gate), up: try part(.up),
                    down: try part(.down),
                    attention_norm: try norm(TensorName.layer(index, .attentionNorm), weights, at: 2 * index),
                    feed_forward_norm: try norm(TensorName.layer(index, .feedForwardNorm), weights, at: 2 * index + 1)))
        }
        model.layers = UnsafePointer(layers)
        model.output_norm = try norm(TensorName.outputNorm, weights, at: 2 * c.layers)
        model.embedding = try matrix(TensorName.embedding)
        model.head = c.tiedEmbedding ? model.embedding : try matrix(TensorName.head)
    }

    /// A norm's weights as 15-bit integers with one exponent, kept at place `index` of the norms.
    private func norm(
        _ name: String, _ weights: RuntimeWeights, at index: Int
    ) throws(RuntimeError) -> fettle_integer_norm {
        let values = try weights.norm(name, in: configuration)
        let largest = values.reduce(0) { max($0, abs($1)) }
        guard largest.isFinite else {
            throw RuntimeError(
                .malformedWeights, place: name, "holds numbers that are not finite; make the bundle again")
        }
        let exponent = largest > 0 ? Int(largest.exponent) - 14 : 0
        let target = arena.pointer(arena.plan.norms, to: Int16.self) + index * configuration.width
        for (place, value) in values.enumerated() {
            let unit = Float(sign: .plus, exponent: -exponent, significand: value)
            target[place] = Int16(min(32767, max(-32767, unit.rounded(.toNearestOrEven))))
        }
        return fettle_integer_norm(values: target, exponent: Int32(exponent))
    }

    /// mantissa * 2^exponent near `value` > 0, the mantissa of `bits` bits.
    private static func dyadic(_ value: Double, bits: Int) -> (mantissa: Int32, exponent: Int32) {
        let exponent = Int(value.exponent) - bits + 1
        let mantissa = Double(sign: .plus, exponent: -exponent, significand: value).rounded(.down)
        return (Int32(mantissa), Int32(exponent))
    }
}

extension fettle_integer_kv {
    /// The memory of an int8 cache, its scales as pairs of mantissa and exponent.
    fileprivate init(_ kv: fettle_kv) {
        self.init(
            keys: UnsafeMutableRawPointer(kv.keys).assumingMemoryBound(to: Int8.self),
            values: UnsafeMutableRawPointer(kv.values).assumingMemoryBound(to: Int8.self),
            key_scales: UnsafeMutableRawPointer(kv.key_scales).assumingMemoryBound(to: UInt32.self),
            value_scales: UnsafeMutableRawPointer(kv.value_scales).assumingMemoryBound(to: UInt32.self))
    }
}
