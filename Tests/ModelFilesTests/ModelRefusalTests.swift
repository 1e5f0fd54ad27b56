import Compute
import Foundation
import ModelFiles
import Testing

/// Models that are incomplete, contradict themselves, or hold what Fettle would have to ignore.
@Suite struct ModelRefusalTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// What opening a copy of the bard fixture throws after `change`.
    private func refusal(_ change: (_ directory: String) throws -> Void) throws -> ModelError? {
        let copy = try directory.copy(of: ModelFixtures.bard)
        try change(copy)
        return modelError { _ = try Model.open(copy) }
    }

    private func replace(_ old: String, by new: String, in path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test func missingFilesAreNamed() throws {
        #expect(modelError { _ = try Model.open("/nonexistent") }?.code == .unreadable)
        for name in ["config.json", "tokenizer.json", "model.safetensors"] {
            let error = try refusal { try FileManager.default.removeItem(atPath: $0 + "/" + name) }
            #expect(error?.code == .unreadable && error?.message.contains(name) == true)
        }
    }

    @Test func configurationAndTensorsMustAgree() throws {
        let width = try refusal {
            try replace("\"hidden_size\": 256", by: "\"hidden_size\": 512", in: $0 + "/config.json")
        }
        #expect(width?.code == .malformed && width?.message.contains("but the configuration asks for") == true)
        let more = try refusal { try replace("layers\": 4", by: "layers\": 5", in: $0 + "/config.json") }
        #expect(more?.message == "is missing; fetch the whole model again" && more?.place.contains("blk.4.") == true)
        let many = try refusal { try replace("layers\": 4", by: "layers\": 9999", in: $0 + "/config.json") }
        #expect(many?.place == "num_hidden_layers")
        let fewer = try refusal { try replace("layers\": 4", by: "layers\": 3", in: $0 + "/config.json") }
        #expect(fewer?.code == .unsupported && fewer?.place.contains("model.layers.3.") == true)
        let untied = try refusal {
            try replace("embeddings\": true", by: "embeddings\": false", in: $0 + "/config.json")
        }
        #expect(untied?.place == "tensor output.weight")
        let type = try refusal { try replace("\"llama\"", by: "\"gpt_neox\"", in: $0 + "/config.json") }
        #expect(type?.code == .unsupported && type?.place == "model_type")
    }

    @Test func tensorsThatWouldBeIgnoredAreRefused() throws {
        let reader = try SafetensorsReader(path: ModelFixtures.bard + "/model.safetensors")
        for (extra, isHarmless) in [
            ("model.layers.0.self_attn.q_proj.bias", false), ("score.weight", false),
            ("model.layers.04.mlp.up_proj.weight", false),
            ("model.layers.0.self_attn.rotary_emb.inv_freq", true), ("lm_head.weight", true),
        ] {
            let error = try refusal { copy in
                let tensors = reader.tensors.map {
                    SafetensorsWriter.Description(name: $0.name, type: $0.type, shape: $0.shape)
                }
                let more = SafetensorsWriter.Description(name: extra, type: .f32, shape: [2])
                var writer = try SafetensorsWriter(path: copy + "/model.safetensors", tensors: tensors + [more])
                for tensor in reader.tensors { try writer.append(tensor.bytes.withUnsafeBytes { Array($0) }) }
                try writer.append([UInt8](repeating: 0, count: 8))
                try writer.finish()
            }
            #expect((error == nil) == isHarmless, "\(extra)")
            if !isHarmless { #expect(error?.code == .unsupported && error?.place == "tensor \(extra)") }
        }
    }

    @Test func aGGUFFileMustHoldItsWholeModel() throws {
        let reader = try GGUFReader(path: ModelFixtures.tinyGGUF)
        func refusal(_ name: String, as other: String?, type: TensorType = .f16) throws -> ModelError? {
            let path = directory.path + "/changed.gguf"
            let tensors = reader.tensors.compactMap { tensor -> (GGUFTensor, String)? in
                tensor.name == name ? other.map { (tensor, $0) } : (tensor, tensor.name)
            }
            var writer = try GGUFWriter(
                path: path, entries: reader.entries, tensors: tensors.map { ($0.1, $0.0.type, $0.0.dimensions) })
            for (tensor, _) in tensors { try writer.append(tensor.bytes.withUnsafeBytes { Array($0) }) }
            try writer.finish()
            return modelError { _ = try Model.open(path) }
        }
        #expect(try refusal("none", as: nil) == nil)
        #expect(try refusal("blk.1.attn_k.weight", as: nil)?.place == "tensor blk.1.attn_k.weight")
        #expect(try refusal("blk.1.attn_k.weight", as: "blk.1.attn_k.bias")?.code == .unsupported)
        #expect(try refusal("blk.1.attn_k.weight", as: "blk.2.attn_k.weight")?.code == .unsupported)
        #expect(
            try refusal("blk.1.ffn_norm.weight", as: "blk.1.attn_rot_embd")?.place == "tensor blk.1.ffn_norm.weight")
        // Without a head the embedding is tied; without divisors the rotation is plain: both are sound models.
        #expect(try refusal("output.weight", as: nil) == nil)
        #expect(try refusal("rope_freqs.weight", as: nil) == nil)
        #expect(try refusal("output_norm.weight", as: "rope_freqs")?.place == "tensor output_norm.weight")
    }

    /// Thousands of damaged models: each is an error or a model whose rows can all be read, never a crash.
    @Test func damagedModelsNeverCrash() throws {
        let whole = try ModelFixtures.bytes(ModelFixtures.tinyGGUF)
        let header = try #require(try GGUFReader(path: ModelFixtures.tinyGGUF).tensors.map(\.offset).min())
        var random = SeededGenerator(seed: 17)
        var errors = 0
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                bytes[Int.random(in: 0..<header, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            }
            let path = try directory.write("damaged.gguf", bytes)
            let error = modelError {
                for tensor in try Model.open(path).tensors.values { _ = tensor.matrix() }
            }
            errors += error == nil ? 0 : 1
        }
        // Names, lengths, types and offsets fill most of the header.
        #expect(errors > 1000)
    }
}
