internal import CKernels
package import Compute
package import ModelFiles

/// Which logits a forward pass returns.
package enum LogitsRequest: Sendable, Equatable {
    case none
    /// Those after the last token: one row.
    case last
    /// Those after each of these tokens, counted from the first one passed in.
    case rows(Range<Int>)
}

/// How a model is executed.
package enum ExecutionMode: String, Hashable, Sendable, CaseIterable {
    /// Products in integers, activations quantized as they come, the rest in float32.
    case dynamic
    /// No floating-point operation from a token's id to the arg max of its logits.
    case integerOnly = "integer-only"
}

/// A decoder that runs on packed weights. Its results are the same bits on every instruction set and thread count.
package final class IntegerModel {
    package let configuration: ModelConfiguration
    package let weights: RuntimeWeights
    package let kv: KVFormat
    package let mode: ExecutionMode
    /// The longest context that its caches may have.
    package let context: Int
    package let pool: ThreadPool

    private let execution: Execution

    private enum Execution {
        case dynamic(DynamicExecution)
        case integerOnly(IntegerOnlyExecution)

        var chunk: Int {
            switch self {
            case .dynamic(let execution): execution.chunk
            case .integerOnly(let execution): execution.chunk
            }
        }
    }

    /// A model ready to run with caches of up to `context` positions. Throws where a tensor is missing or has another
    /// shape than the configuration says, where a product has no kernel, or where memory is short.
    package init(
        configuration: ModelConfiguration, weights: RuntimeWeights, kv: KVFormat, context: Int? = nil,
        prefillChunk: Int = RuntimeMemory.defaultPrefillChunk, mode: ExecutionMode = .dynamic, pool: ThreadPool
    ) throws(RuntimeError) {
        let context = context ?? configuration.context
        try Self.check(configuration, context: context)
        self.configuration = configuration
        self.weights = weights
        self.kv = kv
        self.context = context
        self.pool = pool
        self.mode = mode
        switch mode {
        case .dynamic:
            execution = .dynamic(
                try DynamicExecution(
                    configuration: configuration, weights: weights, context: context, chunk: prefillChunk, pool: pool))
        case .integerOnly:
            guard kv == .int8 else {
                throw RuntimeError(
                    .unsupported, place: "KV cache \(kv.rawValue)", "integer-only execution caches int8; choose int8")
            }
            execution = .integerOnly(
                try IntegerOnlyExecution(
                    configuration: configuration, weights: weights, context: context, chunk: prefillChunk, pool: pool))
        }
    }

    /// Bytes that the model and a cache of `context` positions take, tokenizer apart: exactly what was or would be
    /// allocated.
    package func residentBytes(context: Int) -> Int {
        let memory = RuntimeMemory(
            configuration: configuration, kv: kv, context: context, prefillChunk: execution.chunk,
            threads: pool.threads, mode: mode)
        return weights.packedBytes + memory.bytes
    }

    /// An empty cache for `capacity` positions, by default as many as the model's context.
    package func makeCache(capacity: Int? = nil) throws(RuntimeError) -> KVCache {
        try KVCache(configuration: configuration, format: kv, capacity: capacity ?? context)
    }

    /// Runs `tokens` after what `cache` holds and adds them to it. Returns the requested logits, one row for each token
    /// asked for. Throws for a token outside the vocabulary or more tokens than the cache takes; the cache is then
    /// unchanged.
    @discardableResult
    package func forward(
        tokens: [Int32], cache: KVCache, logits: LogitsRequest
    ) throws(RuntimeError) -> Matrix {
        let wanted = try check(tokens, cache: cache, logits: logits)
        var result = Matrix(rows: wanted.count, columns: configuration.vocabulary)
        let start = cache.count
        result.values.withUnsafeMutableBufferPointer { target in
            var first = 0
            while first < tokens.count {
                let chunk = first..<min(first + execution.chunk, tokens.count)
                let rows = chunk.clamped(to: wanted)
                run(
                    tokens, chunk: chunk, position: start + first, cache: cache,
                    wanted: rows.lowerBound - first..<rows.upperBound - first,
                    into: target.baseAddress.map {
                        $0 + (rows.lowerBound - wanted.lowerBound) * configuration.vocabulary
                    })
                first = chunk.upperBound
            }
        }
        cache.count = start + tokens.count
        return result
    }

    /// Refuses shapes that the kernels cannot run.
    private static func check(_ c: ModelConfiguration, context: Int) throws(RuntimeError) {
        guard c.width.isMultiple(of: 32), c.feedForward.isMultiple(of: 32), (c.heads * c.headWidth).isMultiple(of: 32)
        else {
            throw RuntimeError(
                .unsupported, place: "configuration",
                "widths of \(c.width) and \(c.feedForward) are not multiples of 32")
        }
        guard c.headWidth.isMultiple(of: 2), (2...1024).contains(c.headWidth), c.keyValueHeads > 0,
            c.heads.isMultiple(of: c.keyValueHeads), (1...1 << 24).contains(context)
        else {
            throw RuntimeError(
                .unsupported, place: "configuration",
                "\(c.heads) heads of \(c.headWidth) over \(c.keyValueHeads), context \(context): no kernel for them"
            )
        }
    }

    /// Refuses bad tokens and overlong inputs; returns the range of tokens whose logits are wanted.
    private func check(
        _ tokens: [Int32], cache: KVCache, logits: LogitsRequest
    ) throws(RuntimeError) -> Range<Int> {
        guard cache.fits(configuration), cache.format == kv, cache.capacity <= context else {
            throw RuntimeError(.contextOverflow, place: "KV cache", "it was made for another model or a longer context")
        }
        guard tokens.count <= cache.capacity - cache.count else {
            throw RuntimeError(
                .contextOverflow, place: "position \(cache.count)",
                "\(tokens.count) more tokens do not fit a context of \(cache.capacity); shorten the text"
            )
        }
        if let index = tokens.firstIndex(where: { $0 < 0 || Int($0) >= configuration.vocabulary }) {
            throw RuntimeError(
                .tokenOutOfRange, place: "token \(index)",
                "id \(tokens[index]) in a vocabulary of \(configuration.vocabulary)")
        }
        switch logits {
        case .none: return tokens.count..<tokens.count
        case .last: return max(0, tokens.count - 1)..<tokens.count
        case .rows(let rows): return rows.clamped(to: 0..<tokens.count)
        }
    }

    private func run(
        _ tokens: [Int32], chunk: Range<Int>, position: Int, cache: KVCache, wanted: Range<Int>,
        into logits: UnsafeMutablePointer<Float>?
    ) {
        tokens.withUnsafeBufferPointer { all in
            let tokens = UnsafeBufferPointer(rebasing: all[chunk])
            switch execution {
            case .dynamic(let execution):
                execution.run(tokens: tokens, position: position, cache: cache, wanted: wanted, into: logits)
            case .integerOnly(let execution):
                execution.run(tokens: tokens, position: position, cache: cache, wanted: wanted, into: logits)
            }
        }
        withExtendedLifetime(weights) {}
    }
}
