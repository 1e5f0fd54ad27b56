internal import Compute
internal import ModelFiles

/// What one layer computes on its way from the residual stream to the residual stream. Allocated once and overwritten
/// layer after layer.
struct LayerActivations {
    private let normEpsilon: Float
    private let configuration: ModelConfiguration
    /// The attention norm's output: the input of query, key and value.
    var attentionInput: Matrix
    /// Queries, keys and values, rotated.
    var queryKeyValue: Matrix
    /// Attention's output: the input of the output matrix.
    var attended: Matrix
    /// The residual stream between attention and feed-forward.
    var middle: Matrix
    /// The feed-forward norm's output: the input of gate and up.
    var feedForwardInput: Matrix
    var gateUp: Matrix
    /// silu(gate) * up: the input of down.
    var downInput: Matrix

    init(rows: Int, configuration: ModelConfiguration) {
        let c = configuration
        let heads = c.heads * c.headWidth
        self.configuration = c
        normEpsilon = c.normEpsilon
        attentionInput = Matrix(rows: rows, columns: c.width)
        queryKeyValue = Matrix(rows: rows, columns: heads + 2 * c.keyValueHeads * c.headWidth)
        attended = Matrix(rows: rows, columns: heads)
        middle = Matrix(rows: rows, columns: c.width)
        feedForwardInput = Matrix(rows: rows, columns: c.width)
        gateUp = Matrix(rows: rows, columns: 2 * c.feedForward)
        downInput = Matrix(rows: rows, columns: c.feedForward)
    }

    /// Gives back the memory of what no other place of a layer needs: what was projected and is not yet attended or gated.
    mutating func dropScratch() {
        queryKeyValue = Matrix(rows: 0, columns: queryKeyValue.columns)
        gateUp = Matrix(rows: 0, columns: gateUp.columns)
    }

    /// Lends that memory to another pass over the same rows, or takes it back.
    mutating func exchangeScratch(with other: inout LayerActivations) {
        swap(&queryKeyValue, &other.queryKeyValue)
        swap(&gateUp, &other.gateUp)
    }

    /// Everything up to the input of down, for whole sequences.
    mutating func compute(
        _ layer: ReferenceModel.Layer, residual: Matrix, batch: TokenBatch, rotary: RotaryTable, pool: ThreadPool
    ) {
        let attention = Attention(configuration, pool: pool)
        projectAttention(layer, residual: residual, positions: batch.positions, rotary: rotary, pool: pool)
        attention.attend(queryKeyValue, batch: batch, into: &attended)
        projectFeedForward(layer, residual: residual, pool: pool)
    }

    /// From the residual stream to rotated queries, keys and values.
    mutating func projectAttention(
        _ layer: ReferenceModel.Layer, residual: Matrix, positions: [Int], rotary: RotaryTable, pool: ThreadPool
    ) {
        normalizeAttention(layer, residual: residual, pool: pool)
        projectAttention(layer, positions: positions, rotary: rotary, pool: pool)
    }

    /// From the residual stream to the input of queries, keys and values.
    mutating func normalizeAttention(_ layer: ReferenceModel.Layer, residual: Matrix, pool: ThreadPool) {
        pool.rmsNorm(residual, weight: layer.attentionNorm, epsilon: normEpsilon, into: &attentionInput)
    }

    /// From their input to rotated queries, keys and values.
    mutating func projectAttention(
        _ layer: ReferenceModel.Layer, positions: [Int], rotary: RotaryTable, pool: ThreadPool
    ) {
        pool.multiply(attentionInput, layer.attentionInput, .transposedRight, into: &queryKeyValue)
        rotate(positions: positions, rotary: rotary, pool: pool)
    }

    /// Rotates what was projected.
    mutating func rotate(positions: [Int], rotary: RotaryTable, pool: ThreadPool) {
        Attention(configuration, pool: pool).rotate(&queryKeyValue, positions: positions, rotary: rotary)
    }

    /// From attention's output to the input of down.
    mutating func projectFeedForward(_ layer: ReferenceModel.Layer, residual: Matrix, pool: ThreadPool) {
        addAttention(layer, residual: residual, pool: pool)
        gateFeedForward(layer, pool: pool)
    }

    /// From attention's output to the input of gate and up.
    mutating func addAttention(_ layer: ReferenceModel.Layer, residual: Matrix, pool: ThreadPool) {
        middle.replaceRows(from: 0, with: residual)
        pool.multiply(attended, layer.attentionOutput, .transposedRight, into: &middle, adding: true)
        normalizeFeedForward(layer, pool: pool)
    }

    /// From the residual stream between attention and feed-forward to the input of gate and up.
    mutating func normalizeFeedForward(_ layer: ReferenceModel.Layer, pool: ThreadPool) {
        pool.rmsNorm(middle, weight: layer.feedForwardNorm, epsilon: normEpsilon, into: &feedForwardInput)
    }

    /// From the input of gate and up to that of down.
    mutating func gateFeedForward(_ layer: ReferenceModel.Layer, pool: ThreadPool) {
        pool.multiply(feedForwardInput, layer.feedForwardInput, .transposedRight, into: &gateUp)
        gate(pool: pool)
    }

    /// From gate and up to the input of down.
    mutating func gate(pool: ThreadPool) { pool.siluProduct(gateUp, into: &downInput) }

    /// Sets `residual` to the layer's output.
    func addFeedForward(_ layer: ReferenceModel.Layer, to residual: inout Matrix, pool: ThreadPool) {
        residual.replaceRows(from: 0, with: middle)
        pool.multiply(downInput, layer.down, .transposedRight, into: &residual, adding: true)
    }
}
