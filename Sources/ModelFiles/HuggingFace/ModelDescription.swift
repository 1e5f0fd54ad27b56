/// The shape and the tokenizer of a Hugging Face directory, without its weights: what a bundle carries beside its own.
package struct ModelDescription: Sendable {
    package var configuration: ModelConfiguration
    package let tokenizer: Tokenizer

    /// Reads config.json and tokenizer.json in `directory`.
    package init(directory: String) throws(ModelError) {
        let file = "\(directory)/config.json"
        let config = try HuggingFaceConfiguration(json: try JSON(path: file), file: file)
        configuration = config.model
        tokenizer = try HuggingFaceVocabulary(directory: directory, configuration: config).tokenizer
    }
}

extension ModelConfiguration {
    /// The shape as transformers' config.json has it; rotary divisors, which it cannot hold, stay with the weights.
    package func configJSON(tokenizer: Tokenizer) -> [UInt8] {
        let begin = tokenizer.beginOfText.map { String($0) } ?? "null"
        let end = tokenizer.endOfText.map { String($0) } ?? "null"
        let members: [(key: String, value: String)] = [
            ("architectures", "[\"LlamaForCausalLM\"]"), ("bos_token_id", begin), ("eos_token_id", end),
            ("head_dim", "\(headWidth)"), ("hidden_act", "\"silu\""), ("hidden_size", "\(width)"),
            ("intermediate_size", "\(feedForward)"), ("max_position_embeddings", "\(context)"),
            ("model_type", JSON.quoted(architecture.rawValue)), ("num_attention_heads", "\(heads)"),
            ("num_hidden_layers", "\(layers)"), ("num_key_value_heads", "\(keyValueHeads)"),
            ("rms_norm_eps", "\(normEpsilon)"), ("rope_theta", "\(rotaryBase)"),
            ("tie_word_embeddings", "\(tiedEmbedding)"), ("vocab_size", "\(vocabulary)"),
        ]
        let lines = members.map { "  \(JSON.quoted($0.key)): \($0.value)" }.joined(separator: ",\n")
        return Array("{\n\(lines)\n}\n".utf8)
    }
}
