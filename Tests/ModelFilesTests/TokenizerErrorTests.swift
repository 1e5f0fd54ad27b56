import ModelFiles
import Testing

/// Files that lie: each gives an error that names file, place and remedy.
struct TokenizerErrorTests {
    /// A change to the metadata of a sound GGUF file, and the error that must follow.
    struct GGUFFault: Sendable, CustomTestStringConvertible {
        let key: String
        /// Nil takes the key away.
        let value: GGUFValue?
        let code: ModelError.Code
        let message: String

        init(_ key: String, _ value: GGUFValue?, _ code: ModelError.Code, _ message: String) {
            (self.key, self.value, self.code, self.message) = (key, value, code, message)
        }

        var testDescription: String { "\(key): \(message)" }
    }

    static let faults: [GGUFFault] = [
        GGUFFault("model", nil, .malformed, "missing"),
        GGUFFault("model", .uint32(1), .malformed, "string"),
        GGUFFault("model", .string("llama"), .unsupported, "supported: \"gpt2\""),
        GGUFFault("pre", nil, .malformed, "missing"),
        GGUFFault("pre", .string("tekken"), .unsupported, "\"llama-bpe\""),
        GGUFFault("tokens", nil, .malformed, "missing"),
        GGUFFault("tokens", .array(elementType: 8, []), .malformed, "as many integers as there are tokens (0)"),
        GGUFFault("tokens", .array(elementType: 4, [.uint32(1)]), .malformed, "array of strings"),
        GGUFFault("token_type", .array(elementType: 5, [.int32(1)]), .malformed, "as many integers"),
        GGUFFault("token_type", .string("x"), .malformed, "as many integers"),
        GGUFFault("merges", nil, .malformed, "missing"),
        GGUFFault("merges", strings(["ab"]), .malformed, "merge 0 (\"ab\") is not two tokens"),
        GGUFFault("merges", strings(["a b c"]), .malformed, "is not two tokens"),
        GGUFFault("merges", strings(["a  b"]), .malformed, "is not two tokens"),
        GGUFFault("merges", strings(["t h", "t h"]), .malformed, "merges 0 and 1 are the same"),
        GGUFFault("merges", strings(["t qqq"]), .malformed, "names a token"),
        GGUFFault("merges", strings(["q q"]), .malformed, "names a token"),
        GGUFFault("merges", strings(["中 a"]), .malformed, "is not two tokens"),
        GGUFFault("bos_token_id", .uint32(.max), .malformed, "a token id"),
        GGUFFault("bos_token_id", .uint32(1_000_000), .malformed, "the begin-of-text token is 1000000"),
        GGUFFault("bos_token_id", .int32(-1), .malformed, "the begin-of-text token is -1"),
        GGUFFault("eos_token_id", .uint64(.max), .malformed, "a token id"),
        GGUFFault("eos_token_id", .int64(1 << 31 - 1), .malformed, "the end-of-text token"),
        GGUFFault("add_bos_token", .uint8(1), .malformed, "true or false"),
        GGUFFault("add_bos_token", .bool(true), .malformed, "none is named"),
    ]

    private static func strings(_ values: [String]) -> GGUFValue {
        .array(elementType: 8, values.map { .string($0) })
    }

    private static func entries() throws -> [GGUFEntry] { try TokenizerFixture.gpt2.tokenizer().ggufEntries() }

    @Test(arguments: faults)
    func refusesMetadata(_ fault: GGUFFault) throws {
        var entries = try Self.entries().filter { $0.key != "tokenizer.ggml.\(fault.key)" }
        if let value = fault.value { entries.append(GGUFEntry(key: "tokenizer.ggml.\(fault.key)", value: value)) }
        let error = #expect(throws: ModelError.self) { try Tokenizer(gguf: entries, file: "a.gguf") }
        #expect(error?.code == fault.code)
        #expect(error?.file == "a.gguf")
        #expect(error?.description.contains(fault.message) == true, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
    }

    /// Each token of a sound vocabulary replaced in turn by one that must not be there.
    @Test(arguments: [
        ("", "byte-level alphabet"), ("a\nb", "byte-level alphabet"), ("t", "one spelling"), ("qqqq", ""),
    ])
    func refusesTokens(_ spelling: String, _ message: String) throws {
        let entries = try Self.entries()
        let place = try #require(entries.firstIndex { $0.key == "tokenizer.ggml.tokens" })
        guard case .array(let type, let tokens) = entries[place].value else { throw CancellationError() }
        // Id 5 is `%`, a byte that every vocabulary needs; id 300 a merge's result.
        for id in [5, 300] {
            var tokens = tokens
            tokens[id] = .string(spelling)
            var changed = entries
            changed[place].value = .array(elementType: type, tokens)
            let error = #expect(throws: ModelError.self) { try Tokenizer(gguf: changed, file: "a.gguf") }
            #expect(error?.code == .malformed)
            #expect(error?.message.contains(message) == true, "\(String(describing: error))")
            #expect(error?.message.contains("\n") == false)
        }
    }

    /// A text in the sound tokenizer.json, what replaces it, and what the error must name.
    static let edits: [(String, String, String)] = [
        (#""type":"BPE""#, #""type":"Unigram""#, "model: model type \"Unigram\" is not supported"),
        (#""type":"BPE""#, #""type":7"#, "model.type: a string is expected"),
        (#""dropout":null"#, #""dropout":0.1"#, "model.dropout"),
        (#""byte_fallback":false"#, #""byte_fallback":true"#, "model.byte_fallback"),
        (#""byte_fallback":false"#, #""byte_fallback":"no""#, "true or false"),
        (#""end_of_word_suffix":null"#, #""end_of_word_suffix":"</w>""#, "model.end_of_word_suffix"),
        (#""unk_token":null"#, #""unk_token":"the""#, "model.unk_token"),
        (#""normalizer":null"#, #""normalizer":{"type":"NFKC"}"#, "normalizer: \"NFKC\" is not supported"),
        (#""add_prefix_space":false"#, #""add_prefix_space":true"#, "pre_tokenizer: this pre-tokenizer"),
        (#""pre_tokenizer":{"type":"ByteLevel""#, #""pre_tokenizer":{"type":"Whitespace""#, "pre_tokenizer"),
        (
            #""post_processor":null"#, #""post_processor":{"type":"BertProcessing"}"#,
            "post_processor: \"BertProcessing\""
        ),
        (#""rstrip":false"#, #""rstrip":true"#, "added_tokens[0].rstrip"),
        (#""added_tokens":["#, #""added_tokens":[3,"#, "added_tokens[0]: an object is expected"),
        (#""added_tokens":[{"id":0"#, #""added_tokens":[{"id":1"#, "id 1 is taken"),
        (
            #""added_tokens":[{"id":0"#, #""added_tokens":[{"id":99999999999"#,
            "id 99999999999 is taken, or leaves a hole"
        ),
        (#""!":1,"#, #""!":-1,"#, "model.vocab.\"!\": id -1"),
        (#""!":1,"#, #""!":1.5,"#, "model.vocab.\"!\": an integer is expected"),
        (#""!":1,"#, #""!":2,"#, "is taken"),
        (#""!":1,"#, "", "hole"),
        (#""merges":["#, #""merges":[["a"],"#, "model.merges[0]: two tokens are expected"),
        (#""merges":["#, #""merges":[7,"#, "model.merges[0]: an array is expected"),
        (#""merges":["#, #""merge":["#, "\"merges\" is missing"),
        (#""vocab":{"#, #""vocab":7,"x":{"#, "model.vocab: an object is expected"),
    ]

    @Test(arguments: edits)
    func refusesTokenizerJSON(_ found: String, _ replacement: String, _ message: String) throws {
        var text = String(decoding: try TokenizerFixture.gpt2.bytes(), as: UTF8.self)
        let place = try #require(text.firstRange(of: found), "the fixture has no \(found)")
        text.replaceSubrange(place, with: replacement)
        let error = #expect(throws: ModelError.self) {
            try Tokenizer(
                tokenizerJSON: Array(text.utf8), configuration: nil, beginOfText: nil, endOfText: nil,
                file: "d/tokenizer.json")
        }
        #expect(error?.file == "d/tokenizer.json")
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    /// Whatever is cut off or flipped, there is an error or a tokenizer that works: never a crash.
    @Test func survivesDamage() throws {
        let bytes = try TokenizerFixture.llama3.bytes()
        for length in stride(from: 0, to: bytes.count, by: 997) {
            #expect(throws: ModelError.self) {
                try Tokenizer(
                    tokenizerJSON: Array(bytes.prefix(length)), configuration: nil, beginOfText: nil, endOfText: nil,
                    file: "t")
            }
        }
        var outcomes = (sound: 0, refused: 0)
        for place in stride(from: 3, to: bytes.count, by: 61) {
            var damaged = bytes
            damaged[place] = place.isMultiple(of: 2) ? UInt8(ascii: "0") : UInt8(ascii: "]")
            do {
                let tokenizer = try Tokenizer(
                    tokenizerJSON: damaged, configuration: nil, beginOfText: nil, endOfText: nil, file: "t")
                _ = tokenizer.decode(tokenizer.encode("It's <tool> 1234 न the", parsingSpecial: true))
                outcomes.sound += 1
            } catch {
                outcomes.refused += 1
            }
        }
        #expect(outcomes.sound > 0 && outcomes.refused > 0)
    }

    @Test func namesTokenizerConfig() throws {
        let error = #expect(throws: ModelError.self) {
            try Tokenizer(
                tokenizerJSON: TokenizerFixture.gpt2.bytes(), configuration: Array(#"{"bos_token": [1]}"#.utf8),
                beginOfText: nil, endOfText: nil, file: "d/tokenizer.json")
        }
        #expect(error?.file == "d/tokenizer_config.json")
        #expect(error?.place == "bos_token")
    }
}
