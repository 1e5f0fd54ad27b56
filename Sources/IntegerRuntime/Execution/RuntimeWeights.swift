internal import ModelFiles

/// The weights of a model as the runtime executes them.
package struct RuntimeWeights: Sendable {
    /// Canonical name to matrix. A tied embedding is one matrix, under the embedding's name.
    package var matrices: [String: RuntimeMatrix]
    /// Canonical name to vector.
    package var norms: [String: [Float]]

    package init(matrices: [String: RuntimeMatrix], norms: [String: [Float]]) {
        self.matrices = matrices
        self.norms = norms
    }

    /// Bytes of all packed matrices. Norms are counted in the activation arena.
    package var packedBytes: Int { matrices.values.reduce(0) { $0 + $1.packedBytes } }

    /// The named matrix, in the shape that the configuration says.
    func matrix(_ name: String, in configuration: ModelConfiguration) throws(RuntimeError) -> RuntimeMatrix {
        guard let matrix = matrices[name], let shape = TensorName.shape(of: name, in: configuration) else {
            throw RuntimeError(.malformedWeights, place: name, "the weights have no such matrix; make the bundle again")
        }
        guard (matrix.rows, matrix.columns) == shape else {
            throw RuntimeError(
                .malformedWeights, place: name,
                "\(matrix.rows) x \(matrix.columns) where the configuration says \(shape.rows) x \(shape.columns)")
        }
        return matrix
    }

    /// The named vector, in the length that the configuration says.
    func norm(_ name: String, in configuration: ModelConfiguration) throws(RuntimeError) -> [Float] {
        guard let norm = norms[name], norm.count == configuration.width else {
            throw RuntimeError(
                .malformedWeights, place: name,
                "the weights have no vector of \(configuration.width) numbers of this name; make the bundle again")
        }
        return norm
    }
}
