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
        var members: [(key: String, value: String)] = [
            ("architectures", window == nil ? "[\"LlamaForCausalLM\"]" : "[\"MistralForCausalLM\"]"),
            ("bos_token_id", tokenizer.beginOfText.map(String.init) ?? "null"),
            ("eos_token_id", tokenizer.endOfText.map(String.init) ?? "null"),
            ("head_dim", String(headWidth)),
            ("hidden_act", JSON.quoted("silu")),
            ("hidden_size", String(width)),
            ("intermediate_size", String(feedForward)),
            ("max_position_embeddings", String(context)),
            ("model_type", JSON.quoted(window == nil ? architecture.rawValue : "mistral")),
            ("num_attention_heads", String(heads)),
            ("num_hidden_layers", String(layers)),
            ("num_key_value_heads", String(keyValueHeads)),
        ]
        members += [
            ("rms_norm_eps", String(normEpsilon)),
            ("rope_theta", String(rotaryBase)),
        ]
        if let window { members.append(("sliding_window", String(window))) }
        members += [
            ("tie_word_embeddings", String(tiedEmbedding)),
            ("vocab_size", String(vocabulary)),
        ]
        let lines = members.map { "  \(JSON.quoted($0.key)): \($0.value)" }.joined(separator: ",\n")
        return Array("{\n\(lines)\n}\n".utf8)
    }
}
