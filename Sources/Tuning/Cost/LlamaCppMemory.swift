internal import ModelFiles

/// What llama.cpp allocates beside the weights, by its own log ("KV buffer size", "compute buffer size").
struct LlamaCppMemory {
    let configuration: ModelConfiguration
    /// Positions of the KV cache.
    let context: Int

    /// llama.cpp's `n_ubatch`: tokens that run together.
    private static let batch = 512
    /// Positions that the cache is padded to.
    private static let padding = 256

    /// Bytes of keys and values: f16, q8_0 (`int8`: 34 bytes for 32 numbers) or q4_0 (`int4`: 18 bytes).
    func cacheBytes(_ format: String) -> Int {
        let positions = (context + Self.padding - 1) / Self.padding * Self.padding
        let numbers = 2 * configuration.layers * positions * configuration.keyValueHeads * configuration.headWidth
        return switch format {
        case "int8": numbers / 32 * 34
        case "int4": numbers / 32 * 18
        default: 2 * numbers
        }
    }

    /// Bytes of the compute and output buffers, an upper bound.
    ///
    /// The compute buffer holds the graph's live tensors. They are most at the head, where logits, up to six rows of the
    /// residual stream, the f16 attention mask and the inputs' indices are held for every token of a batch; llama.cpp b11434
    /// says 102.14 MiB for SmolLM2-135M at context 512 (this formula: 103.27) and 104.77 MiB at 2048 (104.77), and half
    /// of that for half the batch.
    var fixedBytes: Int {
        let c = configuration
        let tokens = min(Self.batch, context)
        let atHead = 4 * c.vocabulary + 24 * c.width
        let inFeedForward = 4 * (3 * c.feedForward + 4 * c.width)
        let compute = tokens * (max(atHead, inFeedForward) + 2 * context + 48)
        return compute + 4 * c.vocabulary
    }
}
