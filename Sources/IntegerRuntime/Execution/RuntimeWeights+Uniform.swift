package import Compute
package import ModelFiles
package import Quantization

extension RuntimeWeights {
    /// Every matrix of a source model in one grid format, rounded to the nearest code: what is needed to time a format.
    ///
    /// Throws `RuntimeError` or `QuantizationError` for shapes that the format cannot divide and for weights without a
    /// number.
    package init(model: Model, uniform format: GridFormat, activation: Activation, pool: ThreadPool) throws {
        self.init(matrices: [:], norms: [:])
        let names = TensorName.all(of: model.configuration)
        let shapes = names.compactMap { TensorName.shape(of: $0, in: model.configuration) }.filter { $0.rows > 1 }
        let arena = try WeightsArena(
            holding: shapes.map { try R16Layout(storing: .grid(format), rows: $0.rows, columns: $0.columns) },
            threads: pool.threads)
        for name in names {
            let weights = try model.tensor(name).matrix()
            guard weights.rows > 1 else {
                norms[name] = weights.values
                continue
            }
            let packed = try PackedMatrix(
                packing: GridQuantizer.quantize(weights, as: format, clip: false, pool: pool), pool: pool)
            matrices[name] = try RuntimeMatrix(
                format: packed.format, layout: packed.layout,
                placed: try arena.copy(packed.bytes, layout: packed.layout), activation: activation)
        }
    }
}
