import ModelFiles
import Testing
import Tuning

/// How texts are cut.
struct TokenSequencesTests {
    @Test func spreadOverTheWholeText() throws {
        let tokenizer = try Bard.model().tokenizer
        let tokens = (0..<1000).map(Int32.init)
        let cut = try TokenSequences(spread: tokens[...], count: 4, length: 100, source: "text", tokenizer: tokenizer)
        #expect(cut.sequences.map { $0[1] } == [1, 301, 601, 901])
        #expect(cut.sequences.allSatisfy { $0.count == 100 })
        #expect(cut.count == 400)
    }

    /// Between others there is no token of theirs, and the sequences lie over the whole text.
    @Test func betweenOthersTakesNoTokenTwice() throws {
        let tokenizer = try Bard.model().tokenizer
        let tokens = (0..<2000).map(Int32.init)
        let others = try [3, 5].map {
            try TokenSequences(spread: tokens[...], count: $0, length: 100, source: "text", tokenizer: tokenizer)
        }
        let between = TokenSequences(
            between: others, of: tokens[...], count: 6, length: 100, source: "text", tokenizer: tokenizer)
        let sequences = try #require(between).sequences
        #expect(sequences.count == 6 && sequences.allSatisfy { $0.count == 100 })
        // The first token may be the one that begins a text.
        let taken = Set((others.flatMap(\.sequences)).flatMap { $0.dropFirst() })
        #expect(sequences.allSatisfy { taken.isDisjoint(with: $0.dropFirst()) })
        #expect(Set(sequences.flatMap { $0.dropFirst() }).count == 6 * 99)
        let starts = sequences.map { $0[1] }
        #expect(starts == starts.sorted() && starts[0] < 500 && starts[5] > 1400)
        // 20 pieces, of which others lie on more than half.
        #expect(
            TokenSequences(
                between: others, of: tokens[...], count: 15, length: 100, source: "text", tokenizer: tokenizer) == nil)
    }

    @Test func aShortTextGivesLess() throws {
        let tokenizer = try Bard.model().tokenizer
        let tokens = (0..<250).map(Int32.init)
        let cut = try TokenSequences(spread: tokens[...], count: 4, length: 100, source: "text", tokenizer: tokenizer)
        #expect(cut.sequences.count == 2)
        #expect(throws: TuningError.self) {
            _ = try TokenSequences(spread: tokens[..<10], count: 1, length: 100, source: "text", tokenizer: tokenizer)
        }
    }

    @Test func theDigestIsOfTheTokens() {
        let one = TokenSequences(source: "a", sequences: [[1, 2], [3]])
        #expect(one.digest == TokenSequences(source: "b", sequences: [[1, 2], [3]]).digest)
        #expect(one.digest != TokenSequences(source: "a", sequences: [[1], [2, 3]]).digest)
    }
}
