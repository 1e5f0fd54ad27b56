/// Translates the tensor names of transformers' `LlamaForCausalLM` into canonical ones.
enum HuggingFaceTensorName {
    private static let parts: [String: TensorName.Part] = [
        "input_layernorm": .attentionNorm,
        "self_attn.q_proj": .query,
        "self_attn.k_proj": .key,
        "self_attn.v_proj": .value,
        "self_attn.o_proj": .attentionOutput,
        "post_attention_layernorm": .feedForwardNorm,
        "mlp.gate_proj": .gate,
        "mlp.up_proj": .up,
        "mlp.down_proj": .down,
    ]

    /// What a tensor of a Hugging Face directory is.
    enum Meaning: Equatable {
        /// A tensor of the model: its canonical name, and its part where it belongs to a layer.
        case tensor(String, TensorName.Part?)
        /// One that restates the configuration, or the tied embedding once more.
        case redundant
        case unknown
    }

    /// The meaning of `name` in a model whose embedding is tied to the head or not.
    static func meaning(of name: String, tiedEmbedding: Bool) -> Meaning {
        switch name {
        case "model.embed_tokens.weight": return .tensor(TensorName.embedding, nil)
        case "model.norm.weight": return .tensor(TensorName.outputNorm, nil)
        case "lm_head.weight": return tiedEmbedding ? .redundant : .tensor(TensorName.head, nil)
        default: break
        }
        if name.hasSuffix("rotary_emb.inv_freq") { return .redundant }
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        guard pieces.count >= 5, pieces[0] == "model", pieces[1] == "layers", pieces.last == "weight",
            let layer = Int(pieces[2]), String(layer) == pieces[2],
            let part = parts[pieces[3..<pieces.count - 1].joined(separator: ".")]
        else { return .unknown }
        return .tensor(TensorName.layer(layer, part), part)
    }

    /// The file's row of each canonical row of a q or k matrix of `heads` heads of `headWidth`.
    ///
    /// transformers rotates (0, n/2), (1, n/2 + 1), ... of a head; GGUF's order makes these pairs adjacent, as
    /// `LlamaModel.permute` of llama.cpp's converter does: reshape (heads, 2, n/2), swap the last two.
    static func adjacentPairs(heads: Int, headWidth: Int) -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(heads * headWidth)
        for head in 0..<heads {
            for pair in 0..<headWidth / 2 {
                order.append(head * headWidth + pair)
                order.append(head * headWidth + headWidth / 2 + pair)
            }
        }
        return order
    }
}
