/// How a packed model compares with its source on text that no calibration saw.
package struct QualityMeasure: Sendable, Equatable, Codable {
    /// Mean KL(source || packed), nats per token.
    package var kl: Double
    /// 95 % confidence interval of the mean.
    package var klInterval: [Double]
    /// What the scores promised; nil where nothing was predicted.
    package var predictedKL: Double?
    package var perplexity: Double
    package var referencePerplexity: Double
    /// Share of positions where both models rank the same token first.
    package var top1: Double
    /// Positions scored.
    package var tokens: Int
    /// Name of the text, or how it was made.
    package var text: String
    /// SHA-256 of the text, hexadecimal.
    package var textDigest: String
    /// Execution mode: `dynamic`, `static` or `integer-only`; for GGUF `llama.cpp`.
    package var mode: String

    package init(
        kl: Double, klInterval: [Double], predictedKL: Double?, perplexity: Double, referencePerplexity: Double,
        top1: Double, tokens: Int, text: String, textDigest: String, mode: String
    ) {
        self.kl = kl
        self.klInterval = klInterval
        self.predictedKL = predictedKL
        self.perplexity = perplexity
        self.referencePerplexity = referencePerplexity
        self.top1 = top1
        self.tokens = tokens
        self.text = text
        self.textDigest = textDigest
        self.mode = mode
    }

    enum CodingKeys: String, CodingKey {
        case kl, perplexity, top1, tokens, text, mode
        case klInterval = "kl_interval"
        case predictedKL = "predicted_kl"
        case referencePerplexity = "reference_perplexity"
        case textDigest = "text_digest"
    }
}
