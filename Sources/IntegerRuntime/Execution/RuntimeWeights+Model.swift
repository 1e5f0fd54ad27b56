package import Compute
package import ModelFiles
internal import Quantization

extension RuntimeWeights {
    /// The weights of a source model as they are: GGUF blocks keep their codes and scales and take llama.cpp's
    /// activations; floats, and block types that have no integer kernel, become half precision and take float
    /// activations.
    ///
    /// Throws `RuntimeError` or `QuantizationError`, naming the tensor, for weights beyond half precision.
    package init(model: Model, pool: ThreadPool) throws {
        self.init(matrices: [:], norms: [:])
        for name in TensorName.all(of: model.configuration) {
            let tensor = try model.tensor(name)
            if TensorName.shape(of: name, in: model.configuration)?.rows == 1 {
                norms[name] = tensor.matrix().values
            } else {
                matrices[name] = try RuntimeMatrix(tensor: tensor, pool: pool)
            }
        }
    }
}

extension RuntimeMatrix {
    /// One tensor of a source model.
    fileprivate init(tensor: ModelTensor, pool: ThreadPool) throws {
        guard let format = BlockFormat.allCases.first(where: { $0.tensorType == tensor.type }), tensor.rowOrder == nil
        else {
            try self.init(packed: PackedMatrix(float16: tensor.matrix(), pool: pool), activation: .float)
            return
        }
        let bytes = tensor.bytes.withUnsafeBytes { [UInt8]($0) }
        let blocks = try BlockMatrix(format: format, rows: tensor.rows, columns: tensor.columns, bytes: bytes)
        try self.init(
            packed: PackedMatrix(packing: blocks.decomposed(pool: pool), pool: pool), activation: format.activation)
    }
}
