/// The shape of a model as config.json gives it, with the defaults of transformers' `LlamaConfig` and
/// `MistralConfig`: Mistral is Llama with a sliding window.
package struct HuggingFaceConfiguration {
    private let json: JSON
    private let file: String
    /// The shape, checked.
    package let model: ModelConfiguration

    /// Reads `json`, the content of the config.json at `file`.
    ///
    /// - Throws: `malformed` or `unsupported`, naming the key.
    package init(json: JSON, file: String) throws(ModelError) {
        self.json = json
        self.file = file
        let fields = Fields(json: json, file: file)
        try Self.refuseUnsupported(fields)
        let width = try fields.integer("hidden_size")
        let heads = try fields.integer("num_attention_heads")
        guard heads > 0 else { throw fields.fault(.malformed, "num_attention_heads", "must be positive") }
        let headWidth = try fields.integer("head_dim", default: width / heads)
        let isMistral = fields.json["model_type"]?.string == "mistral"
        let context = try fields.integer("max_position_embeddings", default: isMistral ? 1 << 17 : 2048)
        let scaling = try RotaryScaling(fields: fields, context: context)
        var model = ModelConfiguration(
            architecture: .llama,
            vocabulary: try fields.integer("vocab_size"),
            width: width,
            feedForward: try fields.integer("intermediate_size"),
            layers: try fields.integer("num_hidden_layers"),
            heads: heads,
            keyValueHeads: try fields.integer("num_key_value_heads", default: isMistral ? 8 : heads),
            headWidth: headWidth,
            context: context,
            window: isMistral ? try Self.window(fields, context: context) : nil,
            normEpsilon: Float(try fields.number("rms_norm_eps", default: 1e-6)),
            rotaryBase: Float(scaling.base),
            rotaryPairing: .adjacent,
            tiedEmbedding: try fields.bool("tie_word_embeddings", default: false))
        try model.check(file: file)
        model.rotaryDivisors = scaling.divisors(headWidth: headWidth)
        try model.check(file: file)
        self.model = model
    }

    /// The id of a special token that config.json names, for instance `bos_token_id`; the first where there are several.
    func tokenID(_ key: String) -> Int? {
        json[key]?.integer ?? json[key]?.elements?.first?.integer
    }

    /// The sliding window, where it is shorter than the context. transformers' `MistralConfig` has 4096 where none is written.
    private static func window(_ fields: Fields, context: Int) throws(ModelError) -> Int? {
        guard fields.json["sliding_window"] != .null else { return nil }
        let window = try fields.integer("sliding_window", default: 4096)
        return window < context ? window : nil
    }

    private static func refuseUnsupported(_ fields: Fields) throws(ModelError) {
        guard let type = fields.json["model_type"]?.string else {
            throw fields.fault(.malformed, "model_type", "is missing; this is not a transformers config.json")
        }
        guard type == "llama" || type == "mistral" else {
            throw fields.fault(.unsupported, "model_type", "is \(type); known are: llama, mistral")
        }
        for key in ["attention_bias", "mlp_bias"] where try fields.bool(key, default: false) {
            throw fields.fault(.unsupported, key, "is true; biases are not supported")
        }
        let activation = fields.json["hidden_act"]?.string ?? "silu"
        guard activation == "silu" else {
            throw fields.fault(.unsupported, "hidden_act", "is \(activation); the Llama family has silu")
        }
        if let quantization = fields.json["quantization_config"], quantization != .null {
            let method = quantization["quant_method"]?.string ?? "unknown"
            throw fields.fault(
                .unsupported, "quantization_config", "the weights are quantized (\(method)); take the float model")
        }
        guard try fields.number("partial_rotary_factor", default: 1) == 1 else {
            throw fields.fault(.unsupported, "partial_rotary_factor", "is not 1; partial rotation is not supported")
        }
    }
}

/// Typed access to the members of a config.json; null counts as absent, as transformers has it.
struct Fields {
    let json: JSON
    let file: String

    func integer(_ key: String, default absent: Int? = nil) throws(ModelError) -> Int {
        guard let value = try value(key, isRequired: absent == nil) else { return absent ?? 0 }
        guard let number = value.integer, number >= 0 else {
            throw fault(.malformed, key, "must be an integer, not negative")
        }
        return number
    }

    func number(_ key: String, default absent: Double? = nil) throws(ModelError) -> Double {
        guard let value = try value(key, isRequired: absent == nil) else { return absent ?? 0 }
        guard let number = value.double else { throw fault(.malformed, key, "must be a number") }
        return number
    }

    func bool(_ key: String, default absent: Bool) throws(ModelError) -> Bool {
        guard let value = try value(key, isRequired: false) else { return absent }
        guard let bool = value.bool else { throw fault(.malformed, key, "must be true or false") }
        return bool
    }

    func fault(_ code: ModelError.Code, _ key: String, _ message: String) -> ModelError {
        ModelError(code, file: file, place: key, message)
    }

    private func value(_ key: String, isRequired: Bool) throws(ModelError) -> JSON? {
        guard let value = json[key], value != .null else {
            guard !isRequired else { throw fault(.malformed, key, "is missing; fetch config.json again") }
            return nil
        }
        return value
    }
}
