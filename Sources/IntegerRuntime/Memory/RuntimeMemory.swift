package import ModelFiles

/// What running a model adds to a process beside its packed weights and its tokenizer, known before anything is
/// allocated.
package struct RuntimeMemory: Sendable, Equatable {
    /// Tokens that run together in prefill where nothing else is asked for: a multiple of every panel, few enough that
    /// a chunk's activations stay in the second-level cache.
    package static let defaultPrefillChunk = 96

    /// Bytes of the KV cache.
    package let cacheBytes: Int
    /// Bytes of activations, norms, tables and scratch space.
    package let arenaBytes: Int
    /// Bytes of one row of logits.
    package let logitsBytes: Int

    package var bytes: Int { cacheBytes + arenaBytes + logitsBytes }

    /// The memory for a context of `context` positions, with prefill in chunks of `prefillChunk` tokens on `threads`
    /// threads.
    package init(
        configuration: ModelConfiguration, kv: KVFormat, context: Int, prefillChunk: Int = defaultPrefillChunk,
        threads: Int = 2, mode: ExecutionMode = .dynamic
    ) {
        let region =
            switch mode {
            case .dynamic:
                ActivationArena.Plan(configuration, context: context, chunk: prefillChunk, threads: threads).region
            case .integerOnly:
                IntegerOnlyArena.Plan(configuration, context: context, chunk: prefillChunk, threads: threads).region
            }
        cacheBytes = KVCache.bytes(configuration, format: kv, capacity: context) ?? 0
        arenaBytes = MappedRegion.wholePages(region.byteCount)
        logitsBytes = configuration.vocabulary * MemoryLayout<Float>.stride
    }

    /// `init` in one number.
    package static func bytes(
        configuration: ModelConfiguration, kv: KVFormat, context: Int, prefillChunk: Int = defaultPrefillChunk,
        threads: Int = 2
    ) -> Int {
        RuntimeMemory(
            configuration: configuration, kv: kv, context: context, prefillChunk: prefillChunk, threads: threads
        ).bytes
    }
}
