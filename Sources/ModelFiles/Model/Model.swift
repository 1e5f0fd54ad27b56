/// A source model: its shape, its tensors (memory-mapped, read on demand as float32) and its tokenizer.
package struct Model: Sendable {
    /// File stem or directory name.
    package let name: String
    package let path: String
    /// SHA-256 over the files that hold weights, configuration and tokenizer, hexadecimal.
    package private(set) var digest: String
    package let configuration: ModelConfiguration
    package let tokenizer: Tokenizer
    /// The storage type that holds most bytes, for instance `f16` or `q4_1`.
    package let fileType: String
    /// Canonical name to tensor.
    package private(set) var tensors: [String: ModelTensor]
    /// Metadata of a GGUF source, to be carried into a GGUF bundle; for a Hugging Face source, made from its config.
    package let metadata: [GGUFEntry]

    /// Whether the source is quantized already: some formats are then lossless for it.
    package var isQuantized: Bool { tensors.values.contains { $0.type.isQuantized } }

    /// The same model with tensors multiplied by factors, by canonical name; `digest` stands for both.
    ///
    /// - Throws: `malformed` for a tensor that it does not have, and for factors that do not fit one.
    package func scaling(_ scalings: [String: ChannelScaling], digest: String) throws(ModelError) -> Model {
        var result = self
        result.digest = digest
        for (name, scaling) in scalings {
            let tensor = try tensor(name)
            guard scaling.rows?.count ?? tensor.rows == tensor.rows,
                scaling.columns?.count ?? tensor.columns == tensor.columns
            else {
                throw ModelError(
                    .malformed, file: path, place: name,
                    "its factors do not fit its \(tensor.rows) x \(tensor.columns) numbers; measure them again")
            }
            result.tensors[name] = tensor.scaled(by: scaling)
        }
        return result
    }

    /// The named tensor.
    package func tensor(_ name: String) throws(ModelError) -> ModelTensor {
        guard let tensor = tensors[name] else {
            throw ModelError(
                .malformed, file: path, place: name, "the model has no such tensor; the file is incomplete")
        }
        return tensor
    }
}
