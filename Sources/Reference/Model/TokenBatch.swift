/// Sequences of tokens, stacked: their rows follow one another in every matrix of a pass.
struct TokenBatch: Sendable {
    let tokens: [Int32]
    /// The rows of each sequence.
    let sequences: [Range<Int>]

    /// Stacks `sequences`, none of which may be empty; every id must be in `0..<vocabulary`.
    init(_ sequences: [[Int32]], vocabulary: Int) throws(ReferenceError) {
        var tokens: [Int32] = []
        var ranges: [Range<Int>] = []
        for (index, sequence) in sequences.enumerated() {
            guard !sequence.isEmpty else {
                throw ReferenceError("sequence \(index)", "it has no tokens; give at least one")
            }
            try TokenBatch.check(sequence, vocabulary: vocabulary, place: "sequence \(index)")
            ranges.append(tokens.count..<tokens.count + sequence.count)
            tokens += sequence
        }
        guard !tokens.isEmpty else { throw ReferenceError("tokens", "there is no sequence; give at least one") }
        self.tokens = tokens
        self.sequences = ranges
    }

    /// Throws where an id is outside `0..<vocabulary`.
    static func check(_ tokens: [Int32], vocabulary: Int, place: String) throws(ReferenceError) {
        if let position = tokens.firstIndex(where: { $0 < 0 || Int($0) >= vocabulary }) {
            throw ReferenceError(
                "\(place), position \(position)",
                "token \(tokens[position]) is outside the vocabulary of \(vocabulary); use the model's own tokenizer")
        }
    }

    /// The length of the longest sequence.
    var longest: Int { sequences.map(\.count).max() ?? 0 }

    /// The position of each row in its sequence.
    var positions: [Int] { sequences.flatMap { 0..<$0.count } }
}
