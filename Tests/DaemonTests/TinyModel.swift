import Compute
import Foundation
import ModelFiles

/// Sound llama models of 54,000 parameters with random weights: small enough to tune one in a quarter of a second.
enum TinyModel {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    private static let (width, feedForward, layers, vocabulary) = (32, 96, 3, 264)

    /// The bytes of the GGUF file of the model that `seed` makes.
    static func gguf(seed: UInt64) throws -> Data {
        // The tokenizer and all that is not changed here is the fixture's.
        let source = try GGUFReader(path: root.appending(path: "Fixtures/model-files/tiny.gguf").path)
        let changed: [String: Int] = [
            "llama.embedding_length": width, "llama.feed_forward_length": feedForward, "llama.block_count": layers,
            "llama.rope.dimension_count": 8, "llama.attention.key_length": 8, "llama.attention.value_length": 8,
        ]
        let entries = source.entries.map { entry in
            changed[entry.key].map { GGUFEntry(key: entry.key, value: .uint32(UInt32($0))) } ?? entry
        }
        let folder = try Folder()
        var writer = try GGUFWriter(path: folder("model.gguf"), entries: entries, tensors: tensors)
        var generator = SeededGenerator(seed: seed)
        for tensor in tensors {
            let count = tensor.dimensions.reduce(1, *)
            switch tensor.type {
            case .f32: try writer.append((0..<count).flatMap { _ in bytes(Float(1).bitPattern) })
            default:
                try writer.append(
                    (0..<count).flatMap { _ in bytes(Float16.random(in: -0.5...0.5, using: &generator).bitPattern) })
            }
        }
        try writer.finish()
        return try Data(contentsOf: URL(filePath: folder("model.gguf")))
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian, Array.init)
    }

    private static var tensors: [GGUFWriter.Description] {
        func matrix(_ name: String, _ rows: Int, _ columns: Int) -> GGUFWriter.Description {
            (name + ".weight", .f16, [columns, rows])
        }
        func norm(_ name: String) -> GGUFWriter.Description { (name + ".weight", .f32, [width]) }
        var tensors = [matrix("token_embd", vocabulary, width)]
        for layer in 0..<layers {
            let prefix = "blk.\(layer)."
            tensors += [
                norm(prefix + "attn_norm"), matrix(prefix + "attn_q", 32, width), matrix(prefix + "attn_k", 16, width),
                matrix(prefix + "attn_v", 16, width), matrix(prefix + "attn_output", width, 32),
                norm(prefix + "ffn_norm"), matrix(prefix + "ffn_gate", feedForward, width),
                matrix(prefix + "ffn_up", feedForward, width), matrix(prefix + "ffn_down", width, feedForward),
            ]
        }
        return tensors + [norm("output_norm"), matrix("output", vocabulary, width)]
    }
}
