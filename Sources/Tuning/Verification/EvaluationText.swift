package import ModelFiles

/// Tokens cut into chunks as llama-perplexity cuts them: `context` tokens each, the first replaced by BOS where the
/// tokenizer adds one, the second half scored.
package struct EvaluationText: Sendable {
    /// Name of the text, or how it was made.
    package let name: String
    /// SHA-256 of the text's tokens, hexadecimal.
    package let digest: String
    /// Whole chunks of equal length.
    package let chunks: [[Int32]]

    /// Cuts `tokens` into at most `chunks` chunks of `context`; a rest that fills no chunk is left out.
    ///
    /// - Throws: `badInput` where not even one chunk is full.
    package init(
        name: String, digest: String, tokens: [Int32], context: Int, chunks: Int, tokenizer: Tokenizer
    ) throws(TuningError) {
        let count = min(chunks, tokens.count / max(context, 1))
        guard context >= 4, count > 0 else {
            throw TuningError(
                .badInput, place: name,
                "has \(tokens.count) tokens, too few for one chunk of \(context); give a longer text or a smaller --context"
            )
        }
        self.name = name
        self.digest = digest
        self.chunks = (0..<count).map { index in
            var chunk = Array(tokens[index * context..<(index + 1) * context])
            if tokenizer.addsBeginOfText, let begin = tokenizer.beginOfText { chunk[0] = begin }
            return chunk
        }
    }

    /// Chunks that are cut already, such as sequences that a model wrote itself.
    ///
    /// - Throws: `badInput` where there is none, or they differ in length.
    package init(_ sequences: TokenSequences) throws(TuningError) {
        let context = sequences.sequences.first?.count ?? 0
        guard context >= 4, sequences.sequences.allSatisfy({ $0.count == context }) else {
            throw TuningError(.badInput, place: sequences.source, "has no chunks of one length; give another text")
        }
        name = sequences.source
        digest = sequences.digest
        chunks = sequences.sequences
    }

    private init(name: String, chunks: [[Int32]]) {
        self.name = name
        self.chunks = chunks
        digest = TokenSequences(source: name, sequences: chunks).digest
    }

    /// At most `count` of the chunks, spread evenly.
    func thinned(to count: Int) -> EvaluationText {
        let count = min(max(1, count), chunks.count)
        return EvaluationText(name: name, chunks: (0..<count).map { chunks[(2 * $0 + 1) * chunks.count / (2 * count)] })
    }

    /// Tokens of a chunk.
    package var context: Int { chunks[0].count }

    /// Positions whose prediction is scored: after the first half, and all but the last have a next token.
    package var scored: Range<Int> { context / 2..<context - 1 }
}
