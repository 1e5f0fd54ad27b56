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
