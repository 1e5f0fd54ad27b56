package import Compute
package import ModelFiles

/// Matrices of a layer that read the same input, in the order in which their outputs are stacked.
package enum LayerGroup: String, Sendable, CaseIterable {
    /// Query, key, value.
    case attentionInput
    case attentionOutput
    /// Gate, up.
    case feedForwardInput
    case down

    /// Its matrices.
    package var parts: [TensorName.Part] {
        switch self {
        case .attentionInput: [.query, .key, .value]
        case .attentionOutput: [.attentionOutput]
        case .feedForwardInput: [.gate, .up]
        case .down: [.down]
        }
    }
}

/// Receives inputs x and output gradients g of every matrix during a Fisher sweep (design.md, section 5). All
/// sequences' positions are stacked; what is passed belongs to the sweep and is overwritten after the call unless kept.
package protocol FisherVisitor {
    /// Whether the visitor has something to do in `layer`. A sweep that goes on from a place that was kept leaves out the layers
    /// before it if none of them is needed.
    func needs(layer: Int) -> Bool

    /// The head, first of all: its inputs, positions x width. The gradient of its output is never whole in memory.
    mutating func visitHead(hidden: Matrix) throws

    /// A group of layer `layer`, from the last layer to the first and from down to attentionInput: `inputs` is
    /// positions x inputs, `outputGradients` dL/dy positions x the outputs of the group's matrices side by side.
    mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) throws

    /// The embedding, last of all: the gradient of its output, positions x width.
    mutating func visitEmbedding(outputGradients: Matrix) throws
}

extension FisherVisitor {
    package func needs(layer: Int) -> Bool { true }
}
