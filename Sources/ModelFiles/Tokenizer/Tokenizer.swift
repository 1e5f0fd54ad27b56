/// Byte-level BPE: text to token ids and back.
package struct Tokenizer: Sendable {
    /// How text is cut before merging; raw values are GGUF's `tokenizer.ggml.pre`.
    package enum PreTokenizer: String, Sendable, CaseIterable {
        case gpt2 = "gpt-2"
        case smollm
        case llama3 = "llama-bpe"
        case qwen2
    }

    /// Bytes of each token as the model spells it (byte-level alphabet), by id.
    package let vocabulary: [String]
    /// Merge rules in order of rank, each "left right".
    package let merges: [String]
    /// Ids of control tokens, which plain text never yields unless `parsingSpecial`.
    package let special: Set<Int32>
    package let preTokenizer: PreTokenizer
    package let beginOfText: Int32?
    package let endOfText: Int32?
    /// Whether a text's tokens begin with `beginOfText`.
    package let addsBeginOfText: Bool
}
