package import Compute
internal import ModelFiles

/// A forward pass, layer by layer, in which a visitor multiplies with each matrix when its inputs are known: so each can be
/// quantized for the inputs that it will really get (sequential calibration). The source can run beside it, so that each can also
/// be brought to what the source has at its place.
package struct SequentialSweep {
    private let model: ReferenceModel
    private let batch: TokenBatch

    /// A sweep of `model` over `sequences`, none of which may be empty.
    package init(model: ReferenceModel, sequences: [[Int32]]) throws(ReferenceError) {
        self.model = model
        batch = try TokenBatch(sequences, vocabulary: model.configuration.vocabulary)
    }

    /// Runs the pass. `embedding` is the quantized embedding, if that is not the model's own; `isAimed`, whether the source runs
    /// beside it.
    package func run(embedding: Matrix?, isAimed: Bool, visitor: inout some SequentialVisitor) throws {
        let pool = model.pool
        let configuration = model.configuration
        let rotary = RotaryTable(positions: batch.longest, configuration: configuration)
        var activations = LayerActivations(rows: batch.tokens.count, configuration: configuration)
        let start = try embedding.map { matrix throws(ReferenceError) in
            try model.replacing([TensorName.embedding: matrix])
        }
        var residual = (start ?? model).embed(batch.tokens)
        var source = isAimed ? SourcePass(activations, residual: model.embed(batch.tokens)) : nil
        for (index, layer) in model.layers.enumerated() {
            source?.run(layer, batch: batch, rotary: rotary, scratch: &activations, pool: pool)
            func multiply(
                _ group: LayerGroup, _ inputs: Matrix, _ aim: SequentialAim?, into outputs: inout Matrix
            ) throws {
                try visitor.visit(layer: index, group: group, inputs: inputs, aim: aim, into: &outputs)
            }
            activations.normalizeAttention(layer, residual: residual, pool: pool)
            try multiply(
                .attentionInput, activations.attentionInput, source.map { .inputs($0.activations.attentionInput) },
                into: &activations.queryKeyValue)
            activations.rotate(positions: batch.positions, rotary: rotary, pool: pool)
            Attention(configuration, pool: pool).attend(
                activations.queryKeyValue, batch: batch, into: &activations.attended)
            try multiply(
                .attentionOutput, activations.attended,
                source.map { .outputs($0.activations.middle.minus(residual)) }, into: &activations.middle)
            activations.middle.add(residual)
            activations.normalizeFeedForward(layer, pool: pool)
            try multiply(
                .feedForwardInput, activations.feedForwardInput,
                source.map { .inputs($0.activations.feedForwardInput) }, into: &activations.gateUp)
            activations.gate(pool: pool)
            try multiply(
                .down, activations.downInput, source.map { .outputs($0.residual.minus(activations.middle)) },
                into: &residual)
            residual.add(activations.middle)
        }
    }
}

/// The source beside the sweep.
private struct SourcePass {
    private(set) var activations: LayerActivations
    private(set) var residual: Matrix

    /// Before the first layer; `activations` are of the same rows.
    init(_ activations: LayerActivations, residual: Matrix) {
        self.activations = activations
        self.activations.dropScratch()
        self.residual = residual
    }

    /// Runs `layer` in the scratch memory of `scratch`.
    mutating func run(
        _ layer: ReferenceModel.Layer, batch: TokenBatch, rotary: RotaryTable, scratch: inout LayerActivations,
        pool: ThreadPool
    ) {
        activations.exchangeScratch(with: &scratch)
        activations.compute(layer, residual: residual, batch: batch, rotary: rotary, pool: pool)
        activations.addFeedForward(layer, to: &residual, pool: pool)
        activations.exchangeScratch(with: &scratch)
    }
}

/// What the source has where a sequential sweep is: positions x inputs or outputs.
package enum SequentialAim {
    /// The inputs that the source's own weights get.
    case inputs(Matrix)
    /// What the group must add to the residual stream for it to be the source's.
    case outputs(Matrix)
}

/// Multiplies during a sequential sweep. What is passed belongs to the sweep and is overwritten after the call.
package protocol SequentialVisitor {
    /// A group of layer `layer`, in the order of execution; `inputs`, positions x inputs, are what it gets behind the weights
    /// in place so far, `aim` is what the source has there, if it runs. Fills `outputs`, positions x outputs of its parts side by
    /// side in the order in which the parts are stacked.
    mutating func visit(
        layer: Int, group: LayerGroup, inputs: Matrix, aim: SequentialAim?, into outputs: inout Matrix
    ) throws
}
