/// What a model file says of its tokenizer, not yet checked.
struct TokenizerDescription {
    /// One token as the file spells it, with its kind.
    struct Token {
        var spelling: String
        var kind: TokenKind
    }

    var file: String
    /// Where the file has its tokens and its merges, for messages.
    var tokensPlace: String
    var mergesPlace: String
    /// By id.
    var tokens: [Token]
    /// In order of rank, each "left right".
    var merges: [String]
    var preTokenizer: Tokenizer.PreTokenizer
    var composesText: Bool
    /// Whether a word that is a token by itself is not merged.
    var ignoresMerges: Bool
    /// What stands for a byte that no token spells.
    var unknown: Int32?
    var beginOfText: Int32?
    var endOfText: Int32?
    var addsBeginOfText: Bool
}

extension Tokenizer {
    /// Checks `description` and builds its tables.
    ///
    /// - Throws: `malformed`, where tokens or merges contradict each other.
    init(_ description: TokenizerDescription) throws(ModelError) {
        let table = try description.table()
        let normal = description.tokens.indices.lazy.filter { description.tokens[$0].kind == .normal }
        let index = TokenIndex(normal.map { Int32($0) }, in: table)
        try description.checkDistinct(index, table)

        tokens = table
        byteTokens = (UInt8.min...UInt8.max).map { index.id(of: [$0], in: table) ?? description.unknown ?? -1 }
        merges = try description.mergeTable(index, table)
        added = AddedTokens(
            description.tokens.indices.lazy.filter { description.tokens[$0].kind != .normal }
                .map { AddedTokens.Token(id: Int32($0), kind: description.tokens[$0].kind) },
            in: table)
        wholeWords = description.ignoresMerges ? index : nil
        unknown = description.unknown
        preTokenizer = description.preTokenizer
        composesText = description.composesText
        beginOfText = description.beginOfText
        endOfText = description.endOfText
        addsBeginOfText = description.addsBeginOfText
        try checkIds(description)
        try description.checkBytes(index, table)
    }

    private func checkIds(_ description: TokenizerDescription) throws(ModelError) {
        for (name, id) in [("begin-of-text", beginOfText), ("end-of-text", endOfText), ("unknown", unknown)] {
            guard let id, !(id >= 0 && id < count) else { continue }
            throw ModelError(
                .malformed, file: description.file, place: description.tokensPlace,
                "the \(name) token is \(id), but ids end at \(count - 1); correct the id")
        }
        guard !addsBeginOfText || beginOfText != nil else {
            throw ModelError(
                .malformed, file: description.file, place: description.tokensPlace,
                "texts should begin with a begin-of-text token, but none is named; name it")
        }
    }
}

extension TokenizerDescription {
    private func fault(_ place: String, _ message: String) -> ModelError {
        ModelError(.malformed, file: file, place: place, message)
    }

    fileprivate func table() throws(ModelError) -> TokenTable {
        guard !tokens.isEmpty else { throw fault(tokensPlace, "the vocabulary is empty; fetch the file again") }
        guard tokens.count <= Int32.max, merges.count <= Int32.max else {
            throw fault(tokensPlace, "there are more tokens or merges than ids; fetch the file again")
        }
        var bytes: [[UInt8]] = []
        bytes.reserveCapacity(tokens.count)
        for (id, token) in tokens.enumerated() {
            guard token.kind == .normal else {
                bytes.append(Array(token.spelling.utf8))
                continue
            }
            guard let spelled = ByteLevelAlphabet.bytes(of: token.spelling), !spelled.isEmpty else {
                throw fault(
                    tokensPlace,
                    "token \(id) (\(JSON.quoted(String(token.spelling.prefix(40))))) is not spelled in the byte-level alphabet; "
                        + "only byte-level BPE is supported")
            }
            bytes.append(spelled)
        }
        guard let table = TokenTable(bytes) else {
            throw fault(tokensPlace, "the tokens have more than 4 GiB; fetch the file again")
        }
        return table
    }

    /// Two tokens of one spelling would leave open which of them text yields.
    fileprivate func checkDistinct(_ index: TokenIndex, _ table: TokenTable) throws(ModelError) {
        if let (first, second) = index.duplicate(in: table) {
            throw fault(tokensPlace, "tokens \(first) and \(second) have one spelling; fetch the file again")
        }
        var ids: [[UInt8]: Int] = [:]
        for (id, token) in tokens.enumerated() where token.kind != .normal {
            let twin = ByteLevelAlphabet.bytes(of: token.spelling).flatMap { index.id(of: $0[...], in: table) }
            if let other = twin.map(Int.init) ?? ids.updateValue(id, forKey: Array(token.spelling.utf8)) {
                throw fault(tokensPlace, "tokens \(other) and \(id) have one spelling; fetch the file again")
            }
        }
    }

    /// Text of printable ASCII must have tokens. Rarer bytes may lack one, and are then left out of what is encoded, as
    /// `tokenizers` and llama.cpp do: SmolLM2 has no token for 21 of them.
    fileprivate func checkBytes(_ index: TokenIndex, _ table: TokenTable) throws(ModelError) {
        for byte in [0x0A] + Array(UInt8(0x20)...0x7E) where index.id(of: [byte], in: table) == nil {
            let spelling = ByteLevelAlphabet.spelling(of: CollectionOfOne(byte))
            throw fault(
                tokensPlace,
                "no token spells byte \(byte) (\"\(spelling)\"); the vocabulary is incomplete, fetch the file again")
        }
    }

    fileprivate func mergeTable(_ index: TokenIndex, _ table: TokenTable) throws(ModelError) -> MergeTable {
        var rules: [MergeTable.Rule] = []
        rules.reserveCapacity(merges.count)
        for (rank, merge) in merges.enumerated() {
            func fault(_ problem: String) -> ModelError {
                self.fault(
                    mergesPlace,
                    "merge \(rank) (\(JSON.quoted(String(merge.prefix(40))))) \(problem); fetch the file again")
            }
            let pieces = merge.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard pieces.count == 2, let left = ByteLevelAlphabet.bytes(of: String(Substring(pieces[0]))),
                let right = ByteLevelAlphabet.bytes(of: String(Substring(pieces[1])))
            else { throw fault("is not two tokens with a space between") }
            guard let leftToken = index.id(of: left[...], in: table),
                let rightToken = index.id(of: right[...], in: table),
                let result = index.id(of: (left + right)[...], in: table)
            else { throw fault("names a token that the vocabulary does not have") }
            rules.append(MergeTable.Rule(left: leftToken, right: rightToken, result: result))
        }
        let mergeTable = MergeTable(rules, tokens: table.count)
        if let (first, second) = mergeTable.duplicate {
            throw fault(mergesPlace, "merges \(first) and \(second) are the same; fetch the file again")
        }
        return mergeTable
    }
}
