internal import Compute
internal import ModelFiles

/// The backward pass through one layer; buffers are kept from layer to layer.
struct LayerGradients {
    private let configuration: ModelConfiguration
    private var downInput: Matrix
    private var gateUp: Matrix
    private var norm: Matrix
    private var attended: Matrix
    private var queryKeyValue: Matrix

    init(rows: Int, configuration: ModelConfiguration) {
        let heads = configuration.heads * configuration.headWidth
        self.configuration = configuration
        downInput = Matrix(rows: rows, columns: configuration.feedForward)
        gateUp = Matrix(rows: rows, columns: 2 * configuration.feedForward)
        norm = Matrix(rows: rows, columns: configuration.width)
        attended = Matrix(rows: rows, columns: heads)
        queryKeyValue = Matrix(
            rows: rows, columns: heads + 2 * configuration.keyValueHeads * configuration.headWidth)
    }

    /// Turns `gradient` from that of the layer's output into that of its input, `residual`, and shows `visit` each
    /// group's inputs and output gradients on the way.
    mutating func propagate(
        _ gradient: inout Matrix, through layer: ReferenceModel.Layer, activations: LayerActivations, residual: Matrix,
        batch: TokenBatch, rotary: RotaryTable, pool: ThreadPool,
        visit: (_ group: LayerGroup, _ inputs: Matrix, _ outputGradients: Matrix) throws -> Void
    ) rethrows {
        let epsilon = configuration.normEpsilon
        try visit(.down, activations.downInput, gradient)
        pool.multiply(gradient, layer.down, .plain, into: &downInput)
        pool.siluProductBackward(activations.gateUp, yGradient: downInput, into: &gateUp)
        try visit(.feedForwardInput, activations.feedForwardInput, gateUp)
        pool.multiply(gateUp, layer.feedForwardInput, .plain, into: &norm)
        pool.rmsNormBackward(
            activations.middle, weight: layer.feedForwardNorm, epsilon: epsilon, yGradient: norm,
            addingTo: &gradient)

        try visit(.attentionOutput, activations.attended, gradient)
        pool.multiply(gradient, layer.attentionOutput, .plain, into: &attended)
        let attention = Attention(configuration, pool: pool)
        attention.attendBackward(
            activations.queryKeyValue, batch: batch, outputGradient: attended, into: &queryKeyValue)
        attention.rotate(&queryKeyValue, positions: batch.positions, rotary: rotary, backward: true)
        try visit(.attentionInput, activations.attentionInput, queryKeyValue)
        pool.multiply(queryKeyValue, layer.attentionInput, .plain, into: &norm)
        pool.rmsNormBackward(
            residual, weight: layer.attentionNorm, epsilon: epsilon, yGradient: norm, addingTo: &gradient)
    }
}
