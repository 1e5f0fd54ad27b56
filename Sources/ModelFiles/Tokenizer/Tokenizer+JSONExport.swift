extension Tokenizer {
    /// The tokenizer as a tokenizer.json that `tokenizers` loads and that encodes equally. The same tokenizer gives the same
    /// bytes.
    package func tokenizerJSON() -> [UInt8] {
        let normalizer = composesText ? #"{"type":"NFC"}"# : "null"
        let text = """
            {
            "version":"1.0",
            "truncation":null,
            "padding":null,
            "added_tokens":[
            \(addedTokens)
            ],
            "normalizer":\(normalizer),
            "pre_tokenizer":\(preTokenizer.json),
            "post_processor":\(postProcessor),
            "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
            "model":{
            "type":"BPE",
            "dropout":null,
            "unk_token":\(unknown.map { JSON.quoted(spelling(of: $0)) } ?? "null"),
            "continuing_subword_prefix":null,
            "end_of_word_suffix":null,
            "fuse_unk":false,
            "byte_fallback":false,
            "ignore_merges":\(wholeWords != nil),
            "vocab":{
            \(vocabulary)
            },
            "merges":[
            \(mergeList)
            ]
            }
            }

            """
        return Array(text.utf8)
    }

    private var addedTokens: String {
        added.tokens.lazy.filter { $0.kind != .unused }
            .map { token in
                """
                {"id":\(token.id),"content":\(JSON.quoted(spelling(of: token.id))),"single_word":false,\
                "lstrip":false,"rstrip":false,"normalized":false,"special":\(token.kind != .userDefined)}
                """
            }
            .joined(separator: ",\n")
    }

    private var vocabulary: String {
        (0..<Int32(count)).map { "\(JSON.quoted(spelling(of: $0))):\($0)" }.joined(separator: ",\n")
    }

    private var mergeList: String {
        mergePairs.map { JSON.quoted("\(spelling(of: $0.left)) \(spelling(of: $0.right))") }.joined(separator: ",\n")
    }

    private var postProcessor: String {
        guard addsBeginOfText, let beginOfText else { return "null" }
        let name = JSON.quoted(spelling(of: beginOfText))
        func special(_ type: Int) -> String { #"{"SpecialToken":{"id":\#(name),"type_id":\#(type)}}"# }
        func sequence(_ id: String, _ type: Int) -> String { #"{"Sequence":{"id":"\#(id)","type_id":\#(type)}}"# }
        return """
            {"type":"TemplateProcessing","single":[\(special(0)),\(sequence("A", 0))],\
            "pair":[\(special(0)),\(sequence("A", 0)),\(special(1)),\(sequence("B", 1))],\
            "special_tokens":{\(name):{"id":\(name),"ids":[\(beginOfText)],"tokens":[\(name)]}}}
            """
    }
}

extension Tokenizer.PreTokenizer {
    /// The regular expression that stands in tokenizer.json; nil where a step of its own is named there instead.
    var pattern: String? {
        let longestNumber: String
        switch self {
        case .gpt2, .smollm: return nil
        case .llama3: longestNumber = "{1,3}"
        case .qwen2: longestNumber = ""
        }
        return #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + longestNumber
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    fileprivate var json: String {
        func byteLevel(cutsWords: Bool) -> String {
            #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":\#(cutsWords)}"#
        }
        if let pattern {
            return """
                {"type":"Sequence","pretokenizers":[\
                {"type":"Split","pattern":{"Regex":\(JSON.quoted(pattern))},"behavior":"Isolated","invert":false},\
                \(byteLevel(cutsWords: false))]}
                """
        }
        guard self == .smollm else { return byteLevel(cutsWords: true) }
        return """
            {"type":"Sequence","pretokenizers":[\
            {"type":"Digits","individual_digits":true},\(byteLevel(cutsWords: true))]}
            """
    }
}
