internal import CKernels
internal import Compute
internal import ModelFiles

/// A model whose activations are quantized as they come: products in integers; norms, rotary embedding, attention and gates
/// in float32, in one order on every instruction set and thread count.
final class DynamicExecution {
    private let configuration: ModelConfiguration
    private let weights: RuntimeWeights
    private let arena: ActivationArena
    private let head: PlannedProduct
    private let embedding: fettle_matrix
    private let pool: ThreadPool

    /// Tokens that run together at most.
    var chunk: Int { arena.plan.chunk }

    /// Prepares `weights`. Throws where a tensor is missing or has another shape than the configuration says, or where memory
    /// is short.
    init(
        configuration: ModelConfiguration, weights: RuntimeWeights, context: Int, chunk: Int, pool: ThreadPool
    ) throws(RuntimeError) {
        self.configuration = configuration
        self.weights = weights
        self.pool = pool
        let embedding = try weights.matrix(TensorName.embedding, in: configuration)
        let head = configuration.tiedEmbedding ? embedding : try weights.matrix(TensorName.head, in: configuration)
        self.embedding = embedding.kernel
        self.head = PlannedProduct(head)
        arena = try ActivationArena(
            plan: ActivationArena.Plan(configuration, context: context, chunk: chunk, threads: pool.threads))
        try loadLayers()
        loadFrequencies()
    }

    /// Runs `tokens` after the `position` that `cache` holds and writes the logits of `wanted` to `logits` [token x vocabulary].
    func run(
        tokens: UnsafeBufferPointer<Int32>, position: Int, cache: KVCache, wanted: Range<Int>,
        into logits: UnsafeMutablePointer<Float>?
    ) {
        let execution = ChunkExecution(
            configuration: configuration, arena: arena, embedding: embedding, head: head, cache: cache, tokens: tokens,
            position: position, wanted: wanted, logits: logits, isa: pool.instructionSet.cValue)
        pool.run { thread, threads in
            execution.run(Share(thread: thread, threads: threads, pool: pool.handle))
        }
        withExtendedLifetime((weights, arena, cache)) {}
    }

    /// Copies norms and plain descriptions of the matrices into the arena.
    private func loadLayers() throws(RuntimeError) {
        let c = configuration
        let steps = arena.pointer(arena.plan.layers, to: LayerSteps.self)
        let norms = arena.pointer(arena.plan.norms, to: Float.self)
        func load(_ name: String, at index: Int) throws(RuntimeError) {
            let norm = try weights.norm(name, in: c)
            norm.withUnsafeBufferPointer { source in
                if let base = source.baseAddress { (norms + index * c.width).update(from: base, count: c.width) }
            }
        }
        for index in 0..<c.layers {
            func product(_ part: TensorName.Part) throws(RuntimeError) -> PlannedProduct {
                PlannedProduct(try weights.matrix(TensorName.layer(index, part), in: c))
            }
            try load(TensorName.layer(index, .attentionNorm), at: 2 * index)
            try load(TensorName.layer(index, .feedForwardNorm), at: 2 * index + 1)
            (steps + index).initialize(
                to: LayerSteps(
                    query: try product(.query), key: try product(.key), value: try product(.value),
                    attentionOutput: try product(.attentionOutput), gate: try product(.gate), up: try product(.up),
                    down: try product(.down)))
        }
        try load(TensorName.outputNorm, at: 2 * c.layers)
    }

    private func loadFrequencies() {
        let frequencies = arena.pointer(arena.plan.frequencies, to: Double.self)
        for (index, frequency) in configuration.rotaryFrequencies.enumerated() { frequencies[index] = frequency }
    }
}
