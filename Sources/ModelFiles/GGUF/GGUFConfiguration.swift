/// The shape of a model, as the metadata of a GGUF file gives it, with llama.cpp's defaults.
package struct GGUFConfiguration {
    private let entries: [GGUFEntry]
    private let file: String

    /// The configuration in `entries`, the metadata of `file`.
    package init(entries: [GGUFEntry], file: String) {
        self.entries = entries
        self.file = file
    }

    /// The configuration, checked; the last two come from the tensors.
    package func configuration(rotaryDivisors: [Float]?, tiedEmbedding: Bool) throws(ModelError) -> ModelConfiguration {
        guard let name = entries.value(of: "general.architecture")?.string else {
            throw ModelError(.malformed, file: file, place: "general.architecture", "is missing; fetch the model again")
        }
        guard let architecture = ModelConfiguration.Architecture(rawValue: name) else {
            let known = ModelConfiguration.Architecture.allCases.map(\.rawValue).joined(separator: ", ")
            throw ModelError(
                .unsupported, file: file, place: "general.architecture", "is \(name); known is: \(known)")
        }
        try refuseUnsupported()
        let width = try integer("llama.embedding_length")
        let heads = try integer("llama.attention.head_count")
        guard heads > 0 else {
            throw ModelError(.malformed, file: file, place: "llama.attention.head_count", "must be positive")
        }
        let headWidth = try integer("llama.attention.key_length", default: width / heads)
        let context = try integer("llama.context_length")
        let tokens = entries.value(of: "tokenizer.ggml.tokens")?.elements?.count
        let result = ModelConfiguration(
            architecture: architecture,
            vocabulary: try integer("llama.vocab_size", default: tokens),
            width: width,
            feedForward: try integer("llama.feed_forward_length"),
            layers: try integer("llama.block_count"),
            heads: heads,
            keyValueHeads: try integer("llama.attention.head_count_kv", default: heads),
            headWidth: headWidth,
            context: context,
            normEpsilon: try float("llama.attention.layer_norm_rms_epsilon"),
            rotaryBase: try float("llama.rope.freq_base", default: 10000),
            rotaryPairing: .adjacent,
            rotaryDivisors: rotaryDivisors,
            tiedEmbedding: tiedEmbedding)
        try require("llama.rope.dimension_count", toBe: headWidth, "the width of a head: partial rotation")
        try require("llama.attention.value_length", toBe: headWidth, "the key's: values of another width")
        try result.check(file: file)
        return result
    }

    private func refuseUnsupported() throws(ModelError) {
        if let count = entries.value(of: "split.count")?.integer, count > 1 {
            throw ModelError(
                .unsupported, file: file, place: "split.count",
                "the model is split over \(count) files; join them with llama-gguf-split --merge")
        }
        try require("llama.expert_count", toBe: 0, "0: mixtures of experts")
        if let scaling = entries.value(of: "llama.rope.scaling.type")?.string, scaling != "none", scaling != "linear" {
            throw ModelError(
                .unsupported, file: file, place: "llama.rope.scaling.type",
                "is \(scaling); take a model without it, or with Llama 3's scaling")
        }
        // llama.cpp: a factor of 0 is none.
        for key in ["llama.rope.scaling.factor", "llama.rope.scale_linear"] {
            let factor = try float(key, default: 0)
            guard factor == 0 || factor == 1 else {
                throw ModelError(
                    .unsupported, file: file, place: key, "is \(factor); linear rotary scaling is not supported")
            }
        }
        if entries.value(of: "llama.attention.causal")?.bool == false {
            throw ModelError(.unsupported, file: file, place: "llama.attention.causal", "is false; decoders are causal")
        }
    }

    private func require(_ key: String, toBe expected: Int, _ what: String) throws(ModelError) {
        let value = try integer(key, default: expected)
        guard value == expected else {
            throw ModelError(
                .unsupported, file: file, place: key, "is \(value), not \(what) is not supported")
        }
    }

    /// An integer, or an array of one integer for each layer where they are all equal.
    private func integer(_ key: String, default absent: Int? = nil) throws(ModelError) -> Int {
        guard let value = entries.value(of: key) else {
            guard let absent else {
                throw ModelError(.malformed, file: file, place: key, "is missing; fetch or convert the model again")
            }
            return absent
        }
        if let elements = value.elements {
            let numbers = Set(elements.compactMap(\.integer))
            guard numbers.count == 1, let number = numbers.first, number >= 0 else {
                throw ModelError(.unsupported, file: file, place: key, "differs from layer to layer")
            }
            return number
        }
        guard let number = value.integer, number >= 0 else {
            throw ModelError(.malformed, file: file, place: key, "must be an integer, not negative")
        }
        return number
    }

    private func float(_ key: String, default absent: Float? = nil) throws(ModelError) -> Float {
        guard let value = entries.value(of: key) else {
            guard let absent else {
                throw ModelError(.malformed, file: file, place: key, "is missing; fetch or convert the model again")
            }
            return absent
        }
        guard let number = value.float else {
            throw ModelError(.malformed, file: file, place: key, "must be a float")
        }
        return number
    }
}
