/// The shape of a decoder: what both runtimes need to know beside the weights.
package struct ModelConfiguration: Sendable, Equatable {
    /// Decoder families; raw values are GGUF's `general.architecture`.
    package enum Architecture: String, Sendable, CaseIterable {
        case llama
    }

    /// Which elements of a head rotate together.
    package enum RotaryPairing: Sendable {
        /// (0, 1), (2, 3), ... : GGUF's order for Llama. Hugging Face's q and k rows are permuted to it on reading.
        case adjacent
        /// (0, n/2), (1, n/2 + 1), ...
        case halves
    }

    package var architecture: Architecture
    package var vocabulary: Int
    /// Width of the residual stream.
    package var width: Int
    /// Width between the feed-forward's matrices.
    package var feedForward: Int
    package var layers: Int
    package var heads: Int
    package var keyValueHeads: Int
    package var headWidth: Int
    /// Longest context that the model was trained for.
    package var context: Int
    /// Positions that a token sees at most, its own the last (Mistral's sliding window); nil for all before it.
    package var window: Int?
    package var normEpsilon: Float
    package var rotaryBase: Float
    package var rotaryPairing: RotaryPairing
    /// Divisors of the rotary frequencies, one for each pair (Llama 3's scaling); nil where there are none.
    package var rotaryDivisors: [Float]?
    /// Whether the output head is the embedding.
    package var tiedEmbedding: Bool

    /// Parameters of the matrices and norms together.
    package var parameters: Int {
        let attention = width * headWidth * (2 * heads + 2 * keyValueHeads)
        let layer = attention + 3 * width * feedForward + 2 * width
        return vocabulary * width * (tiedEmbedding ? 1 : 2) + layers * layer + width
    }

    /// Creates a configuration; the reader of a file checks that the numbers agree with its tensors.
    package init(
        architecture: Architecture, vocabulary: Int, width: Int, feedForward: Int, layers: Int, heads: Int,
        keyValueHeads: Int, headWidth: Int, context: Int, window: Int? = nil, normEpsilon: Float, rotaryBase: Float,
        rotaryPairing: RotaryPairing, rotaryDivisors: [Float]? = nil, tiedEmbedding: Bool
    ) {
        self.architecture = architecture
        self.vocabulary = vocabulary
        self.width = width
        self.feedForward = feedForward
        self.layers = layers
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.context = context
        self.window = window
        self.normEpsilon = normEpsilon
        self.rotaryBase = rotaryBase
        self.rotaryPairing = rotaryPairing
        self.rotaryDivisors = rotaryDivisors
        self.tiedEmbedding = tiedEmbedding
    }
}
