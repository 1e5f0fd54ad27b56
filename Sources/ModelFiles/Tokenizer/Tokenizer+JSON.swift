extension Tokenizer {
    /// The tokenizer of a Hugging Face directory.
    ///
    /// - Parameters:
    ///   - tokenizerJSON: The content of tokenizer.json.
    ///   - tokenizerConfigJSON: The content of tokenizer_config.json, where the directory has one.
    ///   - beginOfText: `bos_token_id` of config.json; tokenizer_config.json's `bos_token` stands in for nil.
    ///   - endOfText: `eos_token_id` of config.json; tokenizer_config.json's `eos_token` stands in for nil.
    ///   - file: The path of tokenizer.json, for messages.
    /// - Throws: `malformed`, or `unsupported` for anything but byte-level BPE with a known pre-tokenizer.
    package init(
        tokenizerJSON: [UInt8], configuration tokenizerConfigJSON: [UInt8]?, beginOfText: Int32?, endOfText: Int32?,
        file: String
    ) throws(ModelError) {
        let root = try JSONPlace(parsing: tokenizerJSON, file: file)
        let configFile = file.hasSuffix("tokenizer.json") ? file.dropLast(14) + "tokenizer_config.json" : file[...]
        let configuration =
            try tokenizerConfigJSON.map { bytes throws(ModelError) in
                try JSONPlace(parsing: bytes, file: String(configFile))
            }

        let model = try root.member("model")
        try model.checkByteLevelPairs()
        let tokens = try root.tokens()
        var ids: [String: Int32] = [:]
        for (id, token) in tokens.enumerated() where token.kind != .normal { ids[token.spelling] = Int32(id) }
        let unknown = try model.unknown(in: ids)
        let template = try root.optional("post_processor")?.beginOfText()
        let configuredBegin = try configuration?.token("bos_token", in: ids)
        let configuredEnd = try configuration?.token("eos_token", in: ids)
        let addsBeginOfText = try configuration?.optional("add_bos_token")?.bool()
        try self.init(
            TokenizerDescription(
                file: file, tokensPlace: "model.vocab", mergesPlace: "model.merges", tokens: tokens,
                merges: try model.merges(), preTokenizer: try root.member("pre_tokenizer").preTokenizer(),
                composesText: try root.optional("normalizer")?.composes() ?? false,
                ignoresMerges: try model.optional("ignore_merges")?.bool() ?? false,
                unknown: unknown, beginOfText: template ?? beginOfText ?? configuredBegin,
                endOfText: endOfText ?? configuredEnd,
                // As llama.cpp's converter has it: tokenizer_config.json overrides the post-processor.
                addsBeginOfText: addsBeginOfText ?? (template != nil)))
    }
}

extension JSONPlace {
    /// Of `model`: that it is BPE without what byte-level BPE does not need.
    fileprivate func checkByteLevelPairs() throws(ModelError) {
        let type = try optional("type")?.string() ?? "BPE"
        guard type == "BPE" else { throw unsupported("model type \(JSON.quoted(type))", supported: "\"BPE\"") }
        if let dropout = try optional("dropout") { throw dropout.unsupported("dropout", supported: "null") }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard let affix = try optional(name), try !affix.string().isEmpty else { continue }
            throw affix.unsupported("a prefix or suffix", supported: "null")
        }
        if let fallback = try optional("byte_fallback"), try fallback.bool() {
            throw fallback.unsupported("true", supported: "false (byte-level BPE)")
        }
    }

    /// Of `model`: the token that stands for a byte without one.
    fileprivate func unknown(in ids: [String: Int32]) throws(ModelError) -> Int32? {
        guard let place = try optional("unk_token") else { return nil }
        guard let id = ids[try place.string()] else {
            throw place.unsupported("a token that is not in added_tokens", supported: "null, an added token")
        }
        if let fuses = try optional("fuse_unk"), try fuses.bool() {
            throw fuses.unsupported("true", supported: "false")
        }
        return id
    }

    /// Of `model`: the merges, each "left right"; files have them so, or as pairs.
    fileprivate func merges() throws(ModelError) -> [String] {
        var merges: [String] = []
        for merge in try member("merges").elements() {
            if case .string(let string) = merge.value {
                merges.append(string)
                continue
            }
            let pair = try merge.elements()
            guard pair.count == 2 else { throw merge.malformed("two tokens are expected") }
            merges.append("\(try pair[0].string()) \(try pair[1].string())")
        }
        return merges
    }

    /// Of the root: all tokens by id, those of the vocabulary and those added to it.
    fileprivate func tokens() throws(ModelError) -> [TokenizerDescription.Token] {
        var ids: [(token: TokenizerDescription.Token, id: Int, place: JSONPlace)] = []
        let added = try addedTokens()
        var kinds: [[UInt8]: TokenKind] = [:]
        for token in added { kinds[Array(token.token.spelling.utf8)] = token.token.kind }
        for (spelling, place) in try member("model").member("vocab").members() {
            guard kinds[Array(spelling.utf8)] == nil else { continue }
            ids.append((TokenizerDescription.Token(spelling: spelling, kind: .normal), try place.integer(), place))
        }
        ids += added
        var tokens = [TokenizerDescription.Token?](repeating: nil, count: ids.count)
        for (token, id, place) in ids {
            guard tokens.indices.contains(id), tokens[id] == nil else {
                throw place.malformed(
                    "id \(id) is taken, or leaves a hole: \(ids.count) tokens have ids 0 to \(ids.count - 1)")
            }
            tokens[id] = token
        }
        return tokens.compactMap { $0 }
    }

    private func addedTokens() throws(ModelError)
        -> [(token: TokenizerDescription.Token, id: Int, place: JSONPlace)]
    {
        var tokens: [(token: TokenizerDescription.Token, id: Int, place: JSONPlace)] = []
        for place in try optional("added_tokens")?.elements() ?? [] {
            for flag in ["single_word", "lstrip", "rstrip"] {
                guard let flag = try place.optional(flag), try flag.bool() else { continue }
                throw flag.unsupported("true", supported: "false")
            }
            let special = try place.optional("special")?.bool() ?? false
            let token = TokenizerDescription.Token(
                spelling: try place.member("content").string(), kind: special ? .control : .userDefined)
            tokens.append((token, try place.member("id").integer(), place))
        }
        return tokens
    }

    /// Of `normalizer`: whether it composes characters.
    fileprivate func composes() throws(ModelError) -> Bool {
        switch try member("type").string() {
        case "NFC": return true
        case "Sequence" where try member("normalizers").elements().isEmpty: return false
        case let type: throw unsupported(JSON.quoted(type), supported: "null, \"NFC\"")
        }
    }

    /// Of `pre_tokenizer`: which of the four it is, by its structure.
    fileprivate func preTokenizer() throws(ModelError) -> Tokenizer.PreTokenizer {
        let steps = try member("type").string() == "Sequence" ? try member("pretokenizers").elements() : [self]
        guard let last = steps.last, try last.member("type").string() == "ByteLevel",
            try last.optional("add_prefix_space")?.bool() != true
        else { throw unsupportedPreTokenizer() }
        let cutsWords = try last.optional("use_regex")?.bool() ?? true
        if steps.count == 1, cutsWords { return .gpt2 }
        guard steps.count == 2 else { throw unsupportedPreTokenizer() }
        switch try steps[0].member("type").string() {
        case "Digits" where cutsWords:
            guard try steps[0].optional("individual_digits")?.bool() == true else { break }
            return .smollm
        case "Split" where !cutsWords:
            guard try steps[0].member("behavior").string() == "Isolated",
                try steps[0].optional("invert")?.bool() != true,
                let pattern = try steps[0].member("pattern").optional("Regex")?.string(),
                let known = Tokenizer.PreTokenizer.allCases.first(where: { $0.pattern == pattern })
            else { break }
            return known
        default: break
        }
        throw unsupportedPreTokenizer()
    }

    private func unsupportedPreTokenizer() -> ModelError {
        unsupported("this pre-tokenizer", supported: "those of GPT-2, SmolLM2, Llama 3 and Qwen2")
    }

    /// Of `post_processor`: the token that it puts before a text, if it does.
    fileprivate func beginOfText() throws(ModelError) -> Int32? {
        switch try member("type").string() {
        case "ByteLevel": return nil
        case "Sequence":
            var token: Int32?
            for step in try member("processors").elements() {
                guard let found = try step.beginOfText() else { continue }
                guard token == nil else { throw step.unsupported("a second template", supported: "one") }
                token = found
            }
            return token
        case "TemplateProcessing":
            let single = try member("single").elements()
            if single.count == 1, try single[0].optional("Sequence") != nil { return nil }
            guard single.count == 2, let special = try single[0].optional("SpecialToken"),
                try single[1].optional("Sequence") != nil
            else { throw unsupported("this template", supported: "one token before the text") }
            let ids = try member("special_tokens").member(try special.member("id").string()).member("ids")
            guard let first = try ids.elements().first, try ids.elements().count == 1,
                let id = Int32(exactly: try first.integer())
            else { throw ids.malformed("one token id is expected") }
            return id
        case let type:
            throw unsupported(JSON.quoted(type), supported: "null, \"ByteLevel\", \"TemplateProcessing\"")
        }
    }

    /// Of tokenizer_config.json: the token that `name` spells, as a string or as an object with its content.
    fileprivate func token(_ name: String, in ids: [String: Int32]) throws(ModelError) -> Int32? {
        guard let place = try optional(name) else { return nil }
        let spelling = try place.value.members == nil ? place.string() : place.member("content").string()
        return ids[spelling]
    }
}
