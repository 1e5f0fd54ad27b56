/// What a token is for; raw values are those of GGUF's `tokenizer.ggml.token_type`.
enum TokenKind: Int32, Sendable {
    /// Spelled in the byte-level alphabet, and made by merging.
    case normal = 1
    case unknown = 2
    /// Found in text only where the caller asks for it.
    case control = 3
    /// Found in any text before it is cut into words.
    case userDefined = 4
    /// Never found: it fills the vocabulary up.
    case unused = 5
}

/// The tokens that do not come from merging, and the search for them in text.
struct AddedTokens: Sendable {
    /// One token and its kind, which is never `normal`.
    struct Token: Sendable {
        let id: Int32
        let kind: TokenKind
    }

    /// All, by id.
    let tokens: [Token]
    /// Those that text can name, ordered by first byte, the longest first.
    private let candidates: [Token]
    /// The candidates with first byte `b` are at `starts[b]..<starts[b + 1]`.
    private let starts: [Int32]

    /// Creates the search for `tokens`, in order of id, whose text is in `table`.
    init(_ tokens: [Token], in table: TokenTable) {
        self.tokens = tokens
        let named = tokens.filter { $0.kind != .unused && !table[$0.id].isEmpty }
        let keys = named.map { (first: table[$0.id].first ?? 0, length: table[$0.id].count) }
        let order = named.indices.sorted {
            (keys[$0].first, -keys[$0].length, $0) < (keys[$1].first, -keys[$1].length, $1)
        }
        candidates = order.map { named[$0] }
        var starts = [Int32](repeating: 0, count: 257)
        for key in keys { starts[Int(key.first) + 1] += 1 }
        for byte in 0..<256 { starts[byte + 1] += starts[byte] }
        self.starts = starts
    }

    /// Whether text can name no token at all.
    func isEmpty(includingControl: Bool) -> Bool {
        !candidates.contains { includingControl || $0.kind == .userDefined }
    }

    /// The kind of token `id`.
    func kind(of id: Int32) -> TokenKind {
        var low = 0
        var high = tokens.count
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < tokens.count && tokens[low].id == id ? tokens[low].kind : .normal
    }

    /// The longest token that `text` names at `position`.
    func token(at position: Int, of text: [UInt8], includingControl: Bool, in table: TokenTable) -> Int32? {
        let byte = Int(text[position])
        for candidate in candidates[Int(starts[byte])..<Int(starts[byte + 1])]
        where (includingControl || candidate.kind == .userDefined)
            && text[position...].starts(with: table[candidate.id])
        {
            return candidate.id
        }
        return nil
    }

    /// Bytes that the tables hold in memory.
    var residentBytes: Int { tokens.residentBytes + candidates.residentBytes + starts.residentBytes }
}
