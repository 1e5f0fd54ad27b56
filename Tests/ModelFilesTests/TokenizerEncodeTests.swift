import Compute
import Foundation
import ModelFiles
import Testing

/// Encoding and decoding against `tokenizers`, and by properties.
struct TokenizerEncodeTests {
    @Test(arguments: TokenizerFixture.allCases)
    func encodesAsTokenizersDoes(_ fixture: TokenizerFixture) throws {
        let tokenizer = try fixture.tokenizer()
        for golden in try fixture.golden() {
            #expect(
                tokenizer.encode(golden.text, parsingSpecial: true) == golden.ids, "\(golden.text.debugDescription)")
            #expect(tokenizer.encode(golden.text) == golden.plain, "plain \(golden.text.debugDescription)")
        }
    }

    @Test(arguments: TokenizerFixture.allCases)
    func cutsWordsAsTokenizersDoes(_ fixture: TokenizerFixture) throws {
        let scanner = WordScanner(preTokenizer: fixture.preTokenizer)
        for golden in try fixture.golden() {
            let text = Array(golden.text.utf8)
            var ends: [Int] = []
            while (ends.last ?? 0) < text.count { ends.append(scanner.endOfWord(text, from: ends.last ?? 0)) }
            #expect(ends == golden.wordEnds, "\(golden.text.debugDescription)")
        }
    }

    /// Oniguruma's tables, over all of Unicode.
    @Test func classifiesCharactersAsOnigurumaDoes() throws {
        let golden = try JSON(path: TokenizerFixture.path("characters.json"))
        var expected = [CharacterClass](repeating: .other, count: 0x110000)
        for (name, value) in [("letter", CharacterClass.letter), ("number", .number), ("space", .space)] {
            let bounds = try #require(golden[name]?.elements).map { try #require($0.integer) }
            try #require(bounds.count.isMultiple(of: 2) && bounds.count > 2)
            for index in stride(from: 0, to: bounds.count, by: 2) {
                for point in bounds[index]...bounds[index + 1] { expected[point] = value }
            }
        }
        expected[0x0A] = .lineBreak
        expected[0x0D] = .lineBreak
        var differing: [UInt32] = []
        for point in UInt32(0)..<0x110000 {
            guard let scalar = Unicode.Scalar(point) else { continue }
            let bytes = Array(String(scalar).utf8)
            let (found, end) = CharacterClass.read(bytes, at: 0)
            if found != expected[Int(point)] || end != bytes.count { differing.append(point) }
        }
        #expect(differing.isEmpty, "\(differing.count) differ, first \(differing.prefix(8))")
    }

    /// Every byte has a token in these, so that nothing can be lost.
    @Test(arguments: [TokenizerFixture.gpt2, .llama3, .qwen2])
    func decodesWhatItEncoded(_ fixture: TokenizerFixture) throws {
        let tokenizer = try fixture.tokenizer()
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2000 {
            let text = Self.randomText(&generator)
            let kept = fixture == .qwen2 ? text.precomposedStringWithCanonicalMapping : text
            let tokens = tokenizer.encode(text, addingBeginOfText: false)
            #expect(Array(tokenizer.decode(tokens).utf8) == Array(kept.utf8), "\(text.debugDescription)")
            #expect(tokens.flatMap(tokenizer.bytes(of:)) == Array(kept.utf8), "\(text.debugDescription)")
        }
    }

    /// The heap against the definition: look through all pairs for the lowest rank, merge the leftmost, begin again.
    @Test(arguments: [TokenizerFixture.gpt2, .smollm, .qwen2])
    func mergesByRank(_ fixture: TokenizerFixture) throws {
        let tokenizer = try fixture.tokenizer()
        var tokens: [[UInt8]: Int32] = [:]
        for id in 0..<Int32(tokenizer.count) where !tokenizer.special.contains(id) {
            tokens[tokenizer.bytes(of: id)] = id
        }
        var ranks: [[Int32]: Int] = [:]
        for (rank, pair) in tokenizer.mergePairs.enumerated() { ranks[[pair.left, pair.right]] = rank }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            // Letters only: one word for every pre-tokenizer.
            let word = String(
                (0..<Int.random(in: 1...60, using: &generator)).map { _ in
                    "aehinorst".randomElement(using: &generator) ?? "e"
                })
            var symbols = word.utf8.compactMap { tokens[[$0]] }
            while let best = symbols.indices.dropLast().min(by: {
                (ranks[[symbols[$0], symbols[$0 + 1]]] ?? .max, $0) < (
                    ranks[[symbols[$1], symbols[$1 + 1]]] ?? .max, $1
                )
            }), ranks[[symbols[best], symbols[best + 1]]] != nil {
                let merged = tokenizer.bytes(of: symbols[best]) + tokenizer.bytes(of: symbols[best + 1])
                symbols[best] = try #require(tokens[merged])
                symbols.remove(at: best + 1)
            }
            #expect(tokenizer.encode(word) == symbols, "\(word)")
        }
    }

    @Test func leavesBeginOfTextOffOnDemand() throws {
        let tokenizer = try TokenizerFixture.llama3.tokenizer()
        let begin = try #require(tokenizer.beginOfText)
        #expect(tokenizer.encode("the") == [begin] + tokenizer.encode("the", addingBeginOfText: false))
        #expect(tokenizer.special.contains(begin))
    }

    @Test func repairsAndSkipsWhatIsNoText() throws {
        let tokenizer = try TokenizerFixture.gpt2.tokenizer()
        let euro = tokenizer.encode("€")
        try #require(euro.count == 3)
        #expect(tokenizer.decode(Array(euro.prefix(2))) == "\u{FFFD}")
        #expect(tokenizer.decode([-1, .max, .min, Int32(tokenizer.count)] + euro) == "€")
        #expect(tokenizer.bytes(of: .max).isEmpty)
    }

    /// A heap keeps one long word near-linear: the quadratic way would take minutes.
    @Test(.timeLimit(.minutes(1))) func encodesOneLongWord() throws {
        let tokenizer = try TokenizerFixture.gpt2.tokenizer()
        let word = String(repeating: "the", count: 300_000)
        #expect(tokenizer.decode(tokenizer.encode(word)) == word)
    }

    private static func randomText(_ generator: inout SeededGenerator) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...40, using: &generator) {
            let limit: UInt32 = [0x80, 0x250, 0x3000, 0x11_0000].randomElement(using: &generator) ?? 0x80
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) { text.append(scalar) }
        }
        return String(text)
    }
}
