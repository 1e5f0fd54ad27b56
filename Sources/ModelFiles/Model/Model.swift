/// A source model: its shape, its tensors (memory-mapped, read on demand as float32) and its tokenizer.
package struct Model: Sendable {
    /// File stem or directory name.
    package let name: String
    package let path: String
    /// SHA-256 over the files that hold weights, configuration and tokenizer, hexadecimal.
    package let digest: String
    package let configuration: ModelConfiguration
    package let tokenizer: Tokenizer
    /// The storage type that holds most bytes, for instance `f16` or `q4_1`.
    package let fileType: String
    /// Canonical name to tensor.
    package let tensors: [String: ModelTensor]
    /// Metadata of a GGUF source, to be carried into a GGUF bundle; for a Hugging Face source, made from its config.
    package let metadata: [GGUFEntry]

    /// Whether the source is quantized already: some formats are then lossless for it.
    package var isQuantized: Bool { tensors.values.contains { $0.type.isQuantized } }

    /// The named tensor.
    package func tensor(_ name: String) throws(ModelError) -> ModelTensor {
        guard let tensor = tensors[name] else {
            throw ModelError(
                .malformed, file: path, place: name, "the model has no such tensor; the file is incomplete")
        }
        return tensor
    }
}
