private let prefix = "tokenizer.ggml."

extension Tokenizer {
    /// The tokenizer in a GGUF file's metadata: keys `tokenizer.ggml.*`.
    ///
    /// - Parameters:
    ///   - entries: All metadata of the file.
    ///   - file: The file's path, for messages.
    /// - Throws: `malformed`, or `unsupported` where the tokenizer is not byte-level BPE with a known pre-tokenizer.
    package init(gguf entries: [GGUFEntry], file: String) throws(ModelError) {
        let metadata = TokenizerMetadata(entries: entries, file: file)
        let model = try metadata.string("model")
        guard model == "gpt2" else {
            throw metadata.unsupported("model", JSON.quoted(model), supported: "\"gpt2\" (byte-level BPE)")
        }
        let pre = try metadata.string("pre")
        guard let preTokenizer = PreTokenizer(ggufName: pre) else {
            let known = PreTokenizer.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw metadata.unsupported("pre", JSON.quoted(pre), supported: known)
        }
        let spellings = try metadata.strings("tokens")
        let kinds = try metadata.kinds(count: spellings.count)
        try self.init(
            TokenizerDescription(
                file: file, tokensPlace: prefix + "tokens", mergesPlace: prefix + "merges",
                tokens: zip(spellings, kinds).map { TokenizerDescription.Token(spelling: $0, kind: $1) },
                merges: try metadata.strings("merges"), preTokenizer: preTokenizer, composesText: false,
                // llama.cpp's defaults: both follow from the pre-tokenizer alone.
                ignoresMerges: preTokenizer == .llama3, unknown: nil, beginOfText: try metadata.id("bos_token_id"),
                endOfText: try metadata.id("eos_token_id"),
                addsBeginOfText: try metadata.bool("add_bos_token") ?? (preTokenizer == .llama3)))
    }

    /// The tokenizer as metadata of a GGUF file, as llama.cpp's converter writes it.
    ///
    /// GGUF cannot say `composesText`, and `ignore_merges` only by Llama 3's pre-tokenizer.
    ///
    /// - Parameter vocabulary: Rows of the embedding, which llama.cpp expects to be the number of tokens; tokens
    ///   `[PAD<id>]` are added up to it.
    package func ggufEntries(vocabulary: Int? = nil) -> [GGUFEntry] {
        let ids = 0..<Int32(count)
        let padding = count..<max(count, vocabulary ?? count)
        let spellings = ids.map(spelling(of:)) + padding.map { "[PAD\($0)]" }
        let kinds = ids.map { added.kind(of: $0).rawValue } + padding.map { _ in TokenKind.unused.rawValue }
        let rules = mergePairs.map { "\(spelling(of: $0.left)) \(spelling(of: $0.right))" }
        let stringType: UInt32 = 8
        let int32Type: UInt32 = 5
        var entries = [
            GGUFEntry(key: prefix + "model", value: .string("gpt2")),
            GGUFEntry(key: prefix + "pre", value: .string(preTokenizer.rawValue)),
            GGUFEntry(key: prefix + "tokens", value: .array(elementType: stringType, spellings.map { .string($0) })),
            GGUFEntry(key: prefix + "token_type", value: .array(elementType: int32Type, kinds.map { .int32($0) })),
            GGUFEntry(key: prefix + "merges", value: .array(elementType: stringType, rules.map { .string($0) })),
        ]
        if let beginOfText {
            entries.append(GGUFEntry(key: prefix + "bos_token_id", value: .uint32(UInt32(beginOfText))))
        }
        if let endOfText {
            entries.append(GGUFEntry(key: prefix + "eos_token_id", value: .uint32(UInt32(endOfText))))
        }
        entries.append(GGUFEntry(key: prefix + "add_bos_token", value: .bool(addsBeginOfText)))
        return entries
    }
}

extension Tokenizer.PreTokenizer {
    /// The pre-tokenizer of `tokenizer.ggml.pre`, by the names that llama.cpp has for it.
    fileprivate init?(ggufName: String) {
        switch ggufName {
        case "llama3", "llama-v3": self = .llama3
        default: self.init(rawValue: ggufName)
        }
    }
}

/// Reads typed values of `tokenizer.ggml.*`.
private struct TokenizerMetadata {
    let entries: [GGUFEntry]
    let file: String

    func string(_ name: String) throws(ModelError) -> String {
        guard case .string(let string) = try required(name) else { throw wrongType(name, "a string") }
        return string
    }

    func strings(_ name: String) throws(ModelError) -> [String] {
        guard case .array(_, let values) = try required(name) else { throw wrongType(name, "an array of strings") }
        var strings: [String] = []
        strings.reserveCapacity(values.count)
        for value in values {
            guard case .string(let string) = value else { throw wrongType(name, "an array of strings") }
            strings.append(string)
        }
        return strings
    }

    func bool(_ name: String) throws(ModelError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let bool) = value else { throw wrongType(name, "true or false") }
        return bool
    }

    func id(_ name: String) throws(ModelError) -> Int32? {
        guard let value = value(name) else { return nil }
        guard let id = integer(value) else { throw wrongType(name, "a token id") }
        return id
    }

    /// All tokens are normal in a file that does not say.
    func kinds(count: Int) throws(ModelError) -> [TokenKind] {
        guard let value = value("token_type") else { return Array(repeating: .normal, count: count) }
        guard case .array(_, let values) = value, values.count == count else {
            throw wrongType("token_type", "an array of as many integers as there are tokens (\(count))")
        }
        var kinds: [TokenKind] = []
        kinds.reserveCapacity(count)
        for (id, value) in values.enumerated() {
            guard let kind = integer(value).flatMap(TokenKind.init(rawValue:)) else {
                throw unsupported("token_type", "the type of token \(id)", supported: "types 1 to 5")
            }
            kinds.append(kind)
        }
        return kinds
    }

    func unsupported(_ name: String, _ found: String, supported: String) -> ModelError {
        ModelError(
            .unsupported, file: file, place: prefix + name, "\(found) is not supported; supported: \(supported)")
    }

    private func wrongType(_ name: String, _ expected: String) -> ModelError {
        ModelError(.malformed, file: file, place: prefix + name, "\(expected) is expected; convert the model again")
    }

    private func value(_ name: String) -> GGUFValue? {
        entries.first { $0.key == prefix + name }?.value
    }

    private func required(_ name: String) throws(ModelError) -> GGUFValue {
        guard let value = value(name) else {
            throw ModelError(
                .malformed, file: file, place: prefix + name,
                "the key is missing; convert the model again with its tokenizer")
        }
        return value
    }

    private func integer(_ value: GGUFValue) -> Int32? {
        switch value {
        case .uint8(let number): Int32(number)
        case .int8(let number): Int32(number)
        case .uint16(let number): Int32(number)
        case .int16(let number): Int32(number)
        case .uint32(let number): Int32(exactly: number)
        case .int32(let number): number
        case .uint64(let number): Int32(exactly: number)
        case .int64(let number): Int32(exactly: number)
        default: nil
        }
    }
}
