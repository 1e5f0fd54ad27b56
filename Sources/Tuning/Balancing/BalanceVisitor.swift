internal import Compute
internal import ModelFiles
internal import Quantization
internal import Reference

/// Finds the factors of refinement `awq` or `smooth` for all columns of a model while a Fisher sweep passes by.
struct BalanceVisitor: FisherVisitor {
    let model: Model
    let refinement: Refinement
    /// The grid that `awq` tries errors on.
    let format: GridFormat
    /// Tokens of a sequence.
    let sequence: Int
    let pool: ThreadPool
    /// Sites (`ModelBalance.name`) whose factors are known.
    let known: Set<String>
    /// Called with the factors of a site, none where they do not help, and the share of the sweep that is done.
    let record: (_ site: String, _ factors: [Float], _ fraction: Double) throws -> Void

    private var visits = 0

    /// Rows of each matrix that errors are tried on.
    private static let rows = 128

    init(
        model: Model, refinement: Refinement, format: GridFormat, sequence: Int, pool: ThreadPool,
        known: Set<String>, record: @escaping (_ site: String, _ factors: [Float], _ fraction: Double) throws -> Void
    ) {
        self.model = model
        self.refinement = refinement
        self.format = format
        self.sequence = sequence
        self.pool = pool
        self.known = known
        self.record = record
    }

    /// Whether a site of `layer` has no factors yet.
    func needs(layer: Int) -> Bool { LayerGroup.allCases.contains { !known.contains(ModelBalance.name(layer, $0)) } }

    mutating func visitHead(hidden: Matrix) {}
    mutating func visitEmbedding(outputGradients: Matrix) {}

    mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) throws {
        visits += 1
        let site = ModelBalance.name(layer, group)
        guard !known.contains(site) else { return }
        let importance = TensorImportance.meanSquares(of: inputs, columns: 0..<inputs.columns, pool: pool)
        let counts = TensorImportance.meanSquares(
            of: outputGradients, columns: 0..<outputGradients.columns, pool: pool)
        let weights = try sample(ScoringUnit.tensors(layer: layer, group), counts)
        let places = group == .attentionOutput ? ModelBalance.valuePlaces(model.configuration) : nil
        let found: [Float]?
        if refinement == .smooth {
            found = ColumnSmoothing(
                weights: weights, magnitudes: largestMagnitudes(of: inputs), importance: importance, places: places
            ).factors()
        } else {
            found = try ColumnBalance(
                weights: weights, importance: importance, places: places, format: format, pool: pool
            ).factors()
        }
        try record(site, found ?? [], Double(visits) / Double(4 * model.configuration.layers))
    }

    /// The largest magnitude of each column, but for the first token of each sequence, which keeps a scale of its own.
    private func largestMagnitudes(of inputs: Matrix) -> [Float] {
        var result = [Float](repeating: 0, count: inputs.columns)
        for row in 0..<inputs.rows where !row.isMultiple(of: sequence) {
            for column in result.indices {
                result[column] = max(result[column], abs(inputs.values[row * inputs.columns + column]))
            }
        }
        return result
    }

    /// Rows of the matrices of one group, evenly spread, times the roots of what their outputs count.
    private func sample(_ names: [String], _ counts: [Float]) throws -> Matrix {
        let mean = counts.reduce(0.0) { $0 + Double($1) } / Double(max(1, counts.count))
        var values: [Float] = []
        var columns = 0
        var first = 0
        for tensor in try names.map(model.tensor) {
            columns = tensor.columns
            var row = [Float](repeating: 0, count: columns)
            let taken = min(Self.rows, tensor.rows)
            for index in 0..<taken {
                let place = index * tensor.rows / taken
                let weight = mean > 0 ? Float((Double(counts[first + place]) / mean).squareRoot()) : 1
                row.withUnsafeMutableBufferPointer { tensor.read(row: place, into: $0) }
                values += row.map { $0 * weight }
            }
            first += tensor.rows
        }
        return Matrix(rows: values.count / max(1, columns), columns: columns, values: values)
    }
}
