import Foundation
import ModelFiles
import Testing

@Suite struct ModelConfigurationTests {
    private static let plain =
        #"{"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "#
        + #""num_attention_heads": 4, "vocab_size": 100"#

    private func huggingFace(_ more: String, plain: String = plain) throws(ModelError) -> ModelConfiguration {
        let text = Array((plain + more + "}").utf8)
        let json = try text.withUnsafeBufferPointer { buffer throws(ModelError) in
            try JSON(parsing: UnsafeRawBufferPointer(buffer), file: "config.json")
        }
        return try HuggingFaceConfiguration(json: json, file: "config.json").model
    }

    /// The defaults are those of transformers' LlamaConfig.
    @Test func aPlainConfigTakesTransformersDefaults() throws {
        let expected = ModelConfiguration(
            architecture: .llama, vocabulary: 100, width: 64, feedForward: 96, layers: 2, heads: 4, keyValueHeads: 4,
            headWidth: 16, context: 2048, normEpsilon: 1e-6, rotaryBase: 10000, rotaryPairing: .adjacent,
            tiedEmbedding: false)
        #expect(try huggingFace("") == expected)
        #expect(try huggingFace(#", "head_dim": null, "rope_scaling": null, "quantization_config": null"#) == expected)
        #expect(try huggingFace(#", "rope_scaling": {"type": "default"}, "rope_theta": 10000"#) == expected)
    }

    /// The defaults are those of transformers' MistralConfig. A window as long as the context hides nothing.
    @Test func mistralHasASlidingWindow() throws {
        func mistral(_ more: String) throws -> ModelConfiguration {
            try huggingFace(
                more, plain: Self.plain.replacing("llama", with: "mistral").replacing("heads\": 4", with: "heads\": 8"))
        }
        #expect(try mistral(#", "num_key_value_heads": 2, "sliding_window": 64"#).window == 64)
        #expect(try mistral(#", "num_key_value_heads": 2, "sliding_window": null"#).window == nil)
        #expect(
            try mistral(#", "num_key_value_heads": 2, "max_position_embeddings": 64, "sliding_window": 64"#).window
                == nil)
        let plain = try mistral("")
        #expect(plain.window == 4096 && plain.context == 131_072 && plain.keyValueHeads == 8)
        let error = #expect(throws: ModelError.self) {
            try mistral(#", "num_key_value_heads": 2, "sliding_window": 0"#)
        }
        #expect(error?.place == "sliding window")
        #expect(try huggingFace(#", "sliding_window": 64"#).window == nil)
        // As a bundle carries it.
        let written = try mistral(#", "num_key_value_heads": 2, "sliding_window": 64"#)
        let config = written.configJSON(tokenizer: try TokenizerFixture.bard.tokenizer())
        #expect(try huggingFace("", plain: String(decoding: config.dropLast(3), as: UTF8.self)) == written)
    }

    /// transformers computed the divisors in float32; a few roundings apart.
    @Test func llama3ScalingIsTransformers() throws {
        for item in try #require(try ModelFixtures.json("rotary.json").elements) {
            let parameters = try #require(item["rope_parameters"])
            let old = parameters.members?.map { "\"\($0.key)\": \($0.value.double.map { "\($0)" } ?? "\"llama3\"")" }
            let scaling = "{\((old ?? []).joined(separator: ", "))}"
            let head = try #require(item["head_dim"]?.integer)
            let expected = try #require(item["divisors"]?.elements).compactMap(\.double)
            for key in ["rope_parameters", "rope_scaling"] {
                let configuration = try huggingFace(#", "head_dim": \#(head), "\#(key)": \#(scaling)"#)
                let divisors = try #require(configuration.rotaryDivisors)
                #expect(Double(configuration.rotaryBase) == parameters["rope_theta"]?.double)
                #expect(divisors.count == expected.count && expected.count == head / 2)
                for (divisor, value) in zip(divisors, expected) { #expect(abs(Double(divisor) / value - 1) < 4e-6) }
            }
        }
    }

    @Test(arguments: [
        (#", "attention_bias": true"#, "attention_bias"), (#", "mlp_bias": true"#, "mlp_bias"),
        (#", "hidden_act": "gelu""#, "hidden_act"),
        (#", "quantization_config": {"quant_method": "gptq"}"#, "quantization_config"),
        (#", "rope_scaling": {"rope_type": "yarn", "factor": 2}"#, "rope_scaling"),
        (#", "rope_scaling": {"type": "linear", "factor": 2}"#, "rope_scaling"),
        (#", "partial_rotary_factor": 0.5"#, "partial_rotary_factor"), (#", "head_dim": 15"#, "head width"),
    ])
    func whatWouldChangeTheModelIsUnsupported(more: String, place: String) throws {
        let error = modelError { _ = try huggingFace(more) }
        #expect(error?.code == .unsupported && error?.place == place)
    }

    @Test(arguments: [
        (#", "head_dim": 9223372036854775807"#, "head width"), (#", "num_key_value_heads": 0"#, "key/value heads"),
        (#", "num_key_value_heads": 3"#, "heads"), (#", "head_dim": 16777216"#, "heads"),
        (#", "rms_norm_eps": -1"#, "norm epsilon"), (#", "rope_theta": 0"#, "rotary base"),
        (#", "rope_theta": 1e300"#, "rotary base"), (#", "max_position_embeddings": 0"#, "context"),
        (#", "head_dim": -2"#, "head_dim"), (#", "head_dim": "16""#, "head_dim"), (#", "mlp_bias": 1"#, "mlp_bias"),
        (
            #", "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1}"#,
            "rope_scaling"
        ),
    ])
    func impossibleNumbersAreMalformed(more: String, place: String) throws {
        let error = modelError { _ = try huggingFace(more) }
        #expect(error?.code == .malformed && error?.place == place, "\(String(describing: error))")
    }

    private static let entries: [GGUFEntry] = [
        GGUFEntry(key: "general.architecture", value: .string("llama")),
        GGUFEntry(key: "llama.context_length", value: .uint32(512)),
        GGUFEntry(key: "llama.embedding_length", value: .uint32(64)),
        GGUFEntry(key: "llama.feed_forward_length", value: .array(elementType: 4, [.uint32(96), .uint32(96)])),
        GGUFEntry(key: "llama.block_count", value: .uint32(2)),
        GGUFEntry(key: "llama.attention.head_count", value: .uint32(4)),
        GGUFEntry(key: "llama.attention.layer_norm_rms_epsilon", value: .float32(1e-5)),
        GGUFEntry(key: "tokenizer.ggml.tokens", value: .strings(["a", "b", "c"])),
    ]

    private func gguf(_ key: String, _ value: GGUFValue?) throws(ModelError) -> ModelConfiguration {
        let others = Self.entries.filter { $0.key != key }
        let entries = others + (value.map { [GGUFEntry(key: key, value: $0)] } ?? [])
        return try GGUFConfiguration(entries: entries, file: "m.gguf").configuration(
            rotaryDivisors: nil, tiedEmbedding: true)
    }

    /// Defaults of llama.cpp (llama-model.cpp, load_hparams).
    @Test func plainMetadataTakesLlamaCppsDefaults() throws {
        let expected = ModelConfiguration(
            architecture: .llama, vocabulary: 3, width: 64, feedForward: 96, layers: 2, heads: 4, keyValueHeads: 4,
            headWidth: 16, context: 512, normEpsilon: 1e-5, rotaryBase: 10000, rotaryPairing: .adjacent,
            tiedEmbedding: true)
        #expect(try gguf("llama.expert_count", .uint32(0)) == expected)
        #expect(try gguf("llama.rope.dimension_count", .uint32(16)) == expected)
        #expect(try gguf("llama.rope.scaling.factor", .float32(1)) == expected)
    }

    @Test(
        arguments: [
            ("general.architecture", .string("mamba")), ("llama.expert_count", .uint32(8)), ("split.count", .uint16(2)),
            ("llama.rope.dimension_count", .uint32(8)), ("llama.rope.scaling.type", .string("yarn")),
            ("llama.rope.scaling.factor", .float32(4)), ("llama.attention.value_length", .uint32(8)),
            ("llama.feed_forward_length", .array(elementType: 4, [.uint32(96), .uint32(64)])),
            ("llama.attention.causal", .bool(false)),
        ] as [(String, GGUFValue)])
    func whatWouldChangeTheModelIsUnsupportedInGGUF(key: String, value: GGUFValue) {
        let error = modelError { _ = try gguf(key, value) }
        #expect(error?.code == .unsupported && error?.place == key)
    }

    @Test func absentAndImpossibleMetadataIsMalformed() {
        for key in Self.entries.map(\.key).dropLast() {
            #expect(modelError { _ = try gguf(key, nil) }?.place == key)
            #expect(modelError { _ = try gguf(key, .uint8(0)) }?.code == .malformed)
        }
        for value in [.uint64(.max), .int64(-1), .uint64(1 << 40), .float32(2)] as [GGUFValue] {
            #expect(modelError { _ = try gguf("llama.attention.head_count", value) }?.code == .malformed)
            #expect(modelError { _ = try gguf("llama.attention.key_length", value) }?.code == .malformed)
        }
    }
}
