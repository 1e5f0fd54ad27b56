import ModelFiles
import Testing

/// What is written: tokenizer.json against the file that `tokenizers` wrote, GGUF metadata against tokenizer.json.
struct TokenizerFileTests {
    @Test(arguments: TokenizerFixture.allCases)
    func writesTokenizerJSONAsTokenizersDoes(_ fixture: TokenizerFixture) throws {
        let original = try JSON(path: fixture.path)
        let bytes = try fixture.tokenizer().tokenizerJSON()
        let written = try bytes.withUnsafeBytes { try JSON(parsing: $0, file: "written") }
        for key in ["version", "added_tokens", "normalizer", "pre_tokenizer", "decoder"] {
            #expect(written[key] == original[key], "\(key)")
        }
        let (model, originalModel) = (try #require(written["model"]), try #require(original["model"]))
        #expect(model.members?.map(\.key) == originalModel.members?.map(\.key))
        #expect(model["ignore_merges"] == originalModel["ignore_merges"])
        #expect(model["unk_token"] == .null)
        #expect(try Self.merges(model) == Self.merges(originalModel))
        let vocabulary = try Self.vocabulary(model)
        for (spelling, id) in try Self.vocabulary(originalModel) { #expect(vocabulary[spelling] == id) }
    }

    @Test(arguments: TokenizerFixture.allCases)
    func readsBackWhatItWrote(_ fixture: TokenizerFixture) throws {
        let tokenizer = try fixture.tokenizer()
        let bytes = tokenizer.tokenizerJSON()
        let again = try Tokenizer(
            tokenizerJSON: bytes, configuration: nil, beginOfText: nil, endOfText: nil, file: "written")
        #expect(again.tokenizerJSON() == bytes)
        let gguf = try Tokenizer(gguf: tokenizer.ggufEntries(), file: "written")
        #expect(gguf.ggufEntries() == tokenizer.ggufEntries())
        for golden in try fixture.golden() {
            #expect(again.encode(golden.text, parsingSpecial: true) == golden.ids)
            // GGUF does not say that text is composed first.
            if fixture != .qwen2 { #expect(gguf.encode(golden.text, parsingSpecial: true) == golden.ids) }
        }
    }

    @Test func writesGGUFAsTheConverterDoes() throws {
        let tokenizer = try TokenizerFixture.llama3.tokenizer()
        let entries = tokenizer.ggufEntries(vocabulary: tokenizer.count + 2)
        let names = ["model", "pre", "tokens", "token_type", "merges", "bos_token_id", "add_bos_token"]
        #expect(entries.map(\.key) == names.map { "tokenizer.ggml.\($0)" })
        #expect(entries[0].value == .string("gpt2"))
        #expect(entries[1].value == .string("llama-bpe"))
        let original = try JSON(path: TokenizerFixture.llama3.path)
        var spellings = [String](repeating: "", count: tokenizer.count)
        var kinds = [Int32](repeating: 1, count: tokenizer.count)
        for (spelling, id) in try Self.vocabulary(try #require(original["model"])) { spellings[id] = spelling }
        for token in try #require(original["added_tokens"]?.elements) {
            let id = try #require(token["id"]?.integer)
            spellings[id] = try #require(token["content"]?.string)
            kinds[id] = token["special"]?.bool == true ? 3 : 4
        }
        spellings += ["[PAD\(tokenizer.count)]", "[PAD\(tokenizer.count + 1)]"]
        kinds += [5, 5]
        #expect(entries[2].value == .array(elementType: 8, spellings.map { .string($0) }))
        #expect(entries[3].value == .array(elementType: 5, kinds.map { .int32($0) }))
        let merges = try Self.merges(try #require(original["model"]))
        #expect(entries[4].value == .array(elementType: 8, merges.map { .string($0) }))
        #expect(entries[5].value == .uint32(UInt32(try #require(tokenizer.beginOfText))))
        #expect(entries[6].value == .bool(true))
    }

    @Test func takesTokensFromTokenizerConfig() throws {
        let fixture = TokenizerFixture.qwen2
        let configuration =
            #"{"add_bos_token": true, "bos_token": "<|im_start|>", "eos_token": {"content": "<|endoftext|>"}}"#
        let tokenizer = try Tokenizer(
            tokenizerJSON: fixture.bytes(), configuration: Array(configuration.utf8), beginOfText: nil, endOfText: nil,
            file: "tokenizer.json")
        let begin = try #require(tokenizer.beginOfText)
        let end = try #require(tokenizer.endOfText)
        #expect(tokenizer.spelling(of: begin) == "<|im_start|>")
        #expect(tokenizer.spelling(of: end) == "<|endoftext|>")
        #expect(tokenizer.encode("<|endoftext|>", parsingSpecial: true) == [begin, end])
    }

    /// Counted by hand: n tokens of b bytes, m merges, added tokens of 8 bytes twice over, 257 starts, 256 byte tokens. An
    /// allocation rounds up by less than 32 bytes and has a header of 32; there are 9 or 10 of them.
    @Test(arguments: TokenizerFixture.allCases)
    func countsItsMemory(_ fixture: TokenizerFixture) throws {
        let tokenizer = try fixture.tokenizer()
        let ids = 0..<Int32(tokenizer.count)
        let bytes = ids.reduce(0) { $0 + tokenizer.bytes(of: $1).count }
        let added = ids.count {
            tokenizer.spelling(of: $0).hasPrefix("<|") || tokenizer.spelling(of: $0).hasPrefix("<tool")
        }
        let index = fixture == .llama3 ? 4 * (tokenizer.count - added) : 0
        let tables = bytes + 4 * tokenizer.count + 4 * (tokenizer.count + 1) + 12 * tokenizer.mergePairs.count
        let least = tables + 16 * added + 4 * (257 + 256) + index
        #expect((least...least + 10 * 64).contains(tokenizer.residentBytes), "\(tokenizer.residentBytes), not \(least)")
    }

    private static func vocabulary(_ model: JSON) throws -> [String: Int] {
        var vocabulary: [String: Int] = [:]
        for member in try #require(model["vocab"]?.members) {
            let id: Int = try #require(member.value.integer)
            vocabulary[member.key] = id
        }
        return vocabulary
    }

    private static func merges(_ model: JSON) throws -> [String] {
        try #require(model["merges"]?.elements).map { merge in
            try merge.string ?? #require(merge.elements).map { try #require($0.string) }.joined(separator: " ")
        }
    }
}
