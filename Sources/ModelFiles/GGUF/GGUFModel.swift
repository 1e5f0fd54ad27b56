internal import Compute
internal import Foundation

/// A GGUF file read as a model.
struct GGUFModel {
    private let reader: GGUFReader

    /// Opens the file at `path`.
    init(path: String) throws(ModelError) {
        reader = try GGUFReader(path: path)
    }

    /// The model in the file. Its digest is the file's SHA-256, as sha256sum prints it.
    func model() throws(ModelError) -> Model {
        let path = reader.path
        let configuration = try GGUFConfiguration(entries: reader.entries, file: path).configuration(
            rotaryDivisors: try rotaryDivisors(), tiedEmbedding: !reader.tensors.contains { $0.name == TensorName.head }
        )
        guard configuration.layers <= reader.tensors.count else {
            throw ModelError(
                .malformed, file: path, place: "llama.block_count",
                "is \(configuration.layers), but the file has \(reader.tensors.count) tensors; fetch the model again")
        }
        let tokenizer = try Tokenizer(gguf: reader.entries, file: path)
        guard tokenizer.count == configuration.vocabulary else {
            throw ModelError(
                .malformed, file: path, place: "tokenizer.ggml.tokens",
                "has \(tokenizer.count) tokens, but the model has \(configuration.vocabulary)")
        }
        var set = TensorSet(of: configuration)
        for tensor in reader.tensors where !Self.isHarmless(tensor.name) {
            let columns = tensor.dimensions[0]
            // Fits: the product of all axes was checked by the reader.
            let rows = tensor.dimensions.dropFirst().reduce(1, *)
            try set.add(
                tensor.name, fileName: tensor.name, rows: rows, columns: columns, type: tensor.type,
                bytes: tensor.bytes, file: path)
        }
        let tensors = try set.complete(path: path)
        return Model(
            name: ((path as NSString).lastPathComponent as NSString).deletingPathExtension, path: path,
            digest: digest(), configuration: configuration, tokenizer: tokenizer,
            fileType: tensors.dominantType.name, tensors: tensors, metadata: reader.entries)
    }

    /// Tensors that restate what the configuration says.
    private static func isHarmless(_ name: String) -> Bool {
        name == rotaryDivisorsName || name.hasSuffix("rotary_emb.inv_freq") || name.hasSuffix("attn_rot_embd")
            || name.hasSuffix("attn_rot_embd.weight") || name == "rope_freqs"
    }

    private static let rotaryDivisorsName = "rope_freqs.weight"

    private func rotaryDivisors() throws(ModelError) -> [Float]? {
        guard let tensor = reader.tensors.first(where: { $0.name == Self.rotaryDivisorsName }) else { return nil }
        guard tensor.type == .f32, tensor.dimensions.count == 1, tensor.dimensions[0] <= 1 << 16 else {
            throw ModelError(
                .unsupported, file: reader.path, place: "tensor \(tensor.name)", "must be a vector in f32")
        }
        return [Float](unsafeUninitializedCapacity: tensor.dimensions[0]) { buffer, count in
            count = tensor.dimensions[0]
            let target = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
            tensor.bytes.withUnsafeBytes { tensor.type.decode($0, into: target) }
        }
    }

    private func digest() -> String {
        let hash = SHA256()
        reader.bytes.withUnsafeBytes { hash.update($0) }
        return hash.hexadecimal()
    }
}
