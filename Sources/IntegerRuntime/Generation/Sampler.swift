#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif
internal import Compute

/// Draws the next token from logits; the same seed draws the same tokens.
package struct Sampler: Sendable {
    /// 0 takes the most likely token, ties to the lowest id; 1 draws from the model's own distribution.
    package let temperature: Float
    private var generator: SeededGenerator

    package init(temperature: Float, seed: UInt64) {
        self.temperature = temperature
        generator = SeededGenerator(seed: seed)
    }

    /// The next token for one row of logits. Logits that are not numbers are never drawn; of an empty row, or one
    /// without numbers, it is 0.
    package mutating func next(_ logits: some Collection<Float>) -> Int32 {
        var best: (id: Int, logit: Float)?
        for (id, logit) in logits.enumerated() where logit > best?.logit ?? -.infinity { best = (id, logit) }
        guard let best else { return 0 }
        guard temperature > 0, temperature.isFinite else { return Int32(best.id) }
        let weights = logits.map { $0.isNaN ? 0 : exp(Double(($0 - best.logit) / temperature)) }
        var left = generator.unit() * weights.reduce(0, +)
        for (id, weight) in weights.enumerated() {
            left -= weight
            if left < 0 { return Int32(id) }
        }
        return Int32(best.id)
    }
}
