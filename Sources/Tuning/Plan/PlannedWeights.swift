package import Quantization

/// The weights of a plan in the bytes that ship, by canonical tensor name.
package struct PlannedWeights: Sendable {
    /// One matrix.
    package enum Stored: Sendable {
        /// A format of Fettle's own (or f16), in layout R16.
        case packed(PackedMatrix)
        /// GGUF blocks.
        case block(BlockMatrix)
    }

    /// Matrices by canonical name.
    package var matrices: [String: Stored]
    /// Norm vectors by canonical name, float32.
    package var norms: [String: [Float]]
    /// The activation of each matrix.
    package var activations: [String: Activation]
    /// The scale of each statically quantized input.
    package var frozenScales: [String: Float] = [:]

    package init(matrices: [String: Stored], norms: [String: [Float]], activations: [String: Activation]) {
        self.matrices = matrices
        self.norms = norms
        self.activations = activations
    }
}
