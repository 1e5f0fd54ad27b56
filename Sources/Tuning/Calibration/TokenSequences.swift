internal import Compute
package import ModelFiles

/// Sequences of tokens with the name and the digest of the text that they were cut from.
package struct TokenSequences: Sendable, Equatable {
    /// The file's name, or how the text was made.
    package var source: String
    /// SHA-256 over the tokens, hexadecimal: texts with the same tokens are the same text.
    package var digest: String
    package var sequences: [[Int32]]

    /// All tokens.
    package var count: Int { sequences.reduce(0) { $0 + $1.count } }

    /// Tokens from the first of one sequence to that of the next, if all are alike; else more than there are.
    var period: Int {
        let lengths = Set(sequences.map(\.count))
        return lengths.count == 1 ? lengths.first ?? 1 : Int(Int32.max)
    }

    package init(source: String, sequences: [[Int32]]) {
        self.source = source
        self.sequences = sequences
        let hash = SHA256()
        for sequence in sequences {
            for token in [Int32(clamping: sequence.count)] + sequence {
                withUnsafeBytes(of: token.littleEndian) { hash.update($0) }
            }
        }
        digest = hash.hexadecimal()
    }

    /// Fewer tokens than this say nothing about a model.
    private static let shortest = 32

    /// `count` sequences of `length` tokens, evenly spread over `tokens`, each beginning with the token that begins a text
    /// where the tokenizer adds one. A text that is too short gives fewer and shorter ones.
    package init(
        spread tokens: ArraySlice<Int32>, count: Int, length: Int, source: String, tokenizer: Tokenizer
    ) throws(TuningError) {
        guard tokens.count >= Self.shortest else {
            throw TuningError(
                .badInput, place: source,
                "has \(tokens.count) tokens where \(Self.shortest) are the least that can be used; give a longer text")
        }
        let length = min(length, tokens.count)
        let count = min(count, tokens.count / length)
        let room = tokens.count - length
        self.init(
            source: source,
            sequences: (0..<count).map { index in
                Self.begun(tokens.dropFirst(Self.offset(index, of: count, in: room)).prefix(length), tokenizer)
            })
    }

    /// `count` sequences of `length` tokens, evenly spread over what `others`, which were spread over the same `tokens`, leave
    /// of them. Nil where that is not as many.
    package init?(
        between others: [TokenSequences], of tokens: ArraySlice<Int32>, count: Int, length: Int, source: String,
        tokenizer: Tokenizer
    ) {
        guard count > 0, length > 0, tokens.count >= length else { return nil }
        let room = tokens.count - length
        let taken = others.flatMap { other in
            other.sequences.indices.map { Self.offset($0, of: other.sequences.count, in: room) }
        }
        let free = stride(from: 0, through: room, by: length).filter { offset in
            taken.allSatisfy { abs($0 - offset) >= length }
        }
        guard free.count >= count else { return nil }
        self.init(
            source: source,
            sequences: (0..<count).map { index in
                let offset = free[(2 * index + 1) * free.count / (2 * count)]
                return Self.begun(tokens.dropFirst(offset).prefix(length), tokenizer)
            })
    }

    /// Where sequence `index` of `count` begins when the last one begins at `room`.
    private static func offset(_ index: Int, of count: Int, in room: Int) -> Int {
        count == 1 ? 0 : room * index / (count - 1)
    }

    private static func begun(_ tokens: ArraySlice<Int32>, _ tokenizer: Tokenizer) -> [Int32] {
        var result = Array(tokens)
        if tokenizer.addsBeginOfText, let begin = tokenizer.beginOfText, !result.isEmpty { result[0] = begin }
        return result
    }
}
