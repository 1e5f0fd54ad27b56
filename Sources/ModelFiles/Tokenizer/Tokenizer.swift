/// Byte-level BPE: text to token ids and back.
///
/// Encodes as Hugging Face's `tokenizers` does. Tables are compact (about 1.3 MB for 49,152 tokens), since they count in a
/// device's resident bytes.
package struct Tokenizer: Sendable {
    /// How text is cut before merging; raw values are GGUF's `tokenizer.ggml.pre`.
    package enum PreTokenizer: String, Sendable, CaseIterable {
        case gpt2 = "gpt-2"
        case smollm
        case llama3 = "llama-bpe"
        case qwen2
    }

    package let preTokenizer: PreTokenizer
    package let beginOfText: Int32?
    package let endOfText: Int32?
    /// Whether a text's tokens begin with `beginOfText`.
    package let addsBeginOfText: Bool
    /// Whether text is brought to Unicode's composed form (NFC) first, as Qwen2's tokenizer.json asks for.
    package let composesText: Bool

    let tokens: TokenTable
    let merges: MergeTable
    let added: AddedTokens
    /// What stands for a byte that no token spells, where tokenizer.json names a token for it.
    let unknown: Int32?
    /// The token of each single byte: where the vocabulary has none, `unknown` or -1.
    let byteTokens: [Int32]
    /// Where a word that is a token by itself is not merged (Llama 3's `ignore_merges`): the normal tokens by their bytes.
    let wholeWords: TokenIndex?

    /// The number of tokens; ids are `0..<count`.
    package var count: Int { tokens.count }

    /// Ids of control tokens, which plain text never yields unless `parsingSpecial`.
    package var special: Set<Int32> {
        Set(added.tokens.lazy.filter { $0.kind == .control || $0.kind == .unknown }.map(\.id))
    }

    /// Bytes that the tables hold in memory, to the byte. Working memory of `encode`, at most 512 KiB and a small multiple
    /// of the text, is not among them: it is gone when the call returns.
    package var residentBytes: Int {
        tokens.residentBytes + merges.residentBytes + added.residentBytes + byteTokens.residentBytes
            + (wholeWords?.residentBytes ?? 0)
    }

    /// The bytes of one token: part of a character at times. Empty for an id that is not in the vocabulary.
    package func bytes(of token: Int32) -> [UInt8] {
        token >= 0 && token < count ? Array(tokens[token]) : []
    }

    /// Token `token`, which is in `0..<count`, as files spell it: in the byte-level alphabet, or for a token that does not
    /// come from merging, as its text.
    package func spelling(of token: Int32) -> String {
        added.kind(of: token) == .normal
            ? ByteLevelAlphabet.spelling(of: tokens[token]) : String(decoding: tokens[token], as: UTF8.self)
    }

    /// The merge rules in order of rank: each two tokens, which become the token of their bytes together.
    package var mergePairs: [(left: Int32, right: Int32)] { merges.pairs }
}
