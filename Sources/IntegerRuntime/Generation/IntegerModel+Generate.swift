internal import Compute

extension IntegerModel {
    /// Continues `prompt` (which must not be empty) by up to `count` tokens, calling `yield` with each as it is drawn;
    /// stops early where `yield` returns false, and where the cache is full. Throws what `forward` throws.
    package func generate(
        prompt: [Int32], count: Int, sampler: inout Sampler, cache: KVCache, yield: (Int32) -> Bool
    ) throws(RuntimeError) {
        guard !prompt.isEmpty else {
            throw RuntimeError(.tokenOutOfRange, place: "prompt", "it has no tokens; write at least one word")
        }
        var logits = try forward(tokens: prompt, cache: cache, logits: .last)
        for index in 0..<max(0, count) {
            let token = sampler.next(logits.values)
            guard yield(token), index + 1 < count, cache.count < cache.capacity else { return }
            logits = try forward(tokens: [token], cache: cache, logits: .last)
        }
    }
}
