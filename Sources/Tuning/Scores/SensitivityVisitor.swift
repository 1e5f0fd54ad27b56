internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Reference

/// Scores every choice of every group while a Fisher sweep passes by: quantize, pack, multiply, project on the gradient.
struct SensitivityVisitor: FisherVisitor {
    let model: Model
    let configuration: ModelConfiguration
    /// Groups with the choices that have no score yet.
    let wanted: [(group: ChoiceGroup, missing: [Choice])]
    let calibration: TokenSequences
    let pool: ThreadPool
    /// Called with the scores and importances of what has just been measured, and the share of the sweep that is done.
    let record:
        (_ scores: [ScoreName: Double], _ importances: [String: TensorImportance], _ fraction: Double) throws -> Void

    private let quantizer: MatrixQuantizer
    /// Visits so far: the head, four groups for each layer, the embedding.
    private var visits = 0
    /// Embeddings that are heads too, by group, between the head's visit and the embedding's.
    private var tied: [String: TiedEmbedding] = [:]

    private struct TiedEmbedding {
        let lookups: EmbeddingScorer
        let headScores: [Choice: Double]
    }

    init(
        model: Model, wanted: [(group: ChoiceGroup, missing: [Choice])], calibration: TokenSequences, pool: ThreadPool,
        record: @escaping ([ScoreName: Double], [String: TensorImportance], Double) throws -> Void
    ) {
        self.model = model
        configuration = model.configuration
        self.wanted = wanted
        self.calibration = calibration
        self.pool = pool
        self.record = record
        quantizer = MatrixQuantizer(model: model, pool: pool)
    }

    private mutating func fraction() -> Double {
        visits += 1
        return Double(visits) / Double(4 * configuration.layers + 2)
    }

    mutating func visitHead(hidden: Matrix) throws {
        let columns = TensorImportance.meanSquares(of: hidden, columns: 0..<hidden.columns, pool: pool)
        var scores: [ScoreName: Double] = [:]
        var importances: [String: TensorImportance] = [:]
        for (group, missing) in wanted where group.role.isHead {
            guard let tensor = group.tensors.first else { continue }
            let importance = TensorImportance(columns: columns, rows: [Float](repeating: 1, count: tensor.rows))
            importances[tensor.name] = importance
            guard !missing.isEmpty else { continue }
            var lookups = group.role == .tiedEmbedding ? try lookups(of: tensor) : nil
            let found = try HeadScorer(quantizer: quantizer, hidden: hidden).divergences(
                of: Self.sharing(missing), tensor: tensor, importance: importance
            ) { stored, choices in lookups?.keep(stored, for: choices, pool: pool) }
            if let lookups {
                tied[group.name] = TiedEmbedding(lookups: lookups, headScores: found)
            } else {
                for (choice, value) in found { scores[ScoreName(group: group.name, choice: choice.name)] = value }
            }
        }
        try record(scores, importances, fraction())
    }

    private func lookups(of tensor: ChoiceGroup.Tensor) throws -> EmbeddingScorer {
        EmbeddingScorer(
            tokens: calibration.sequences.flatMap(\.self), embedding: try quantizer.weights(tensor.name))
    }

    mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) throws {
        let units = wanted.compactMap { entry in
            ScoringUnit(
                entry.group, layer: layer, shown: group, missing: entry.missing, configuration: configuration)
        }
        let errors = OutputErrors(gradients: outputGradients, pool: pool)
        let columns = TensorImportance.meanSquares(of: inputs, columns: 0..<inputs.columns, pool: pool)
        var scores: [ScoreName: Double] = [:]
        var importances: [String: TensorImportance] = [:]
        for unit in units {
            var projections: [Choice: [Double]] = [:]
            for choice in unit.missing { projections[choice] = [Double](repeating: 0, count: inputs.rows) }
            for (tensor, first) in zip(unit.group.tensors, unit.columns) {
                let importance = TensorImportance(
                    columns: columns,
                    rows: TensorImportance.meanSquares(
                        of: outputGradients, columns: first..<first + tensor.rows, pool: pool))
                importances[tensor.name] = importance
                guard !unit.missing.isEmpty else { continue }
                let weights = try quantizer.weights(tensor.name)
                let exact = pool.product(inputs, weights, .transposedRight)
                for sharing in Self.sharing(unit.missing) {
                    let stored = try quantizer.quantize(
                        tensor, weights: weights, as: sharing[0], importance: importance)
                    for choice in sharing {
                        if choice.format == .float16 {
                            // In float the output error is the product with what rounding changed, mostly nothing.
                            guard let changed = stored.dequantized(pool: pool).minus(weights) else { continue }
                            let zero = Matrix(rows: inputs.rows, columns: tensor.rows)
                            errors.project(
                                pool.product(inputs, changed, .transposedRight), minus: zero, first: first,
                                into: &projections[choice, default: []])
                            continue
                        }
                        let matrix = try quantizer.executable(stored, activation: choice.activation)
                        let outputs = try matrix.multiply(inputs, pool: pool)
                        errors.project(outputs, minus: exact, first: first, into: &projections[choice, default: []])
                    }
                }
            }
            for choice in unit.missing {
                scores[ScoreName(group: unit.group.name, choice: choice.name)] =
                    OutputErrors.sensitivity(projections[choice] ?? [])
            }
        }
        try record(scores, importances, fraction())
    }

    /// Choices by what they share: those that differ in their activation only have the same quantized weights.
    private static func sharing(_ choices: [Choice]) -> [[Choice]] {
        var result: [[Choice]] = []
        for choice in choices {
            let index = result.firstIndex { $0[0].format == choice.format && $0[0].refinement == choice.refinement }
            if let index { result[index].append(choice) } else { result.append([choice]) }
        }
        return result
    }

    mutating func visitEmbedding(outputGradients: Matrix) throws {
        var scores: [ScoreName: Double] = [:]
        var importances: [String: TensorImportance] = [:]
        for (group, missing) in wanted {
            guard let tensor = group.tensors.first else { continue }
            var found: [Choice: Double] = [:]
            if let tied = tied[group.name] {
                found = tied.lookups.sensitivities(gradients: outputGradients, pool: pool)
                    .merging(tied.headScores) { $0 + $1 }
            } else if group.role == .embedding {
                let importance = TensorImportance(
                    columns: TensorImportance.meanSquares(
                        of: outputGradients, columns: 0..<outputGradients.columns, pool: pool),
                    rows: [Float](repeating: 1, count: tensor.rows))
                importances[tensor.name] = importance
                guard !missing.isEmpty else { continue }
                var lookups = try lookups(of: tensor)
                let weights = try quantizer.weights(tensor.name)
                for sharing in Self.sharing(missing) {
                    lookups.keep(
                        try quantizer.quantize(tensor, weights: weights, as: sharing[0], importance: importance),
                        for: sharing, pool: pool)
                }
                found = lookups.sensitivities(gradients: outputGradients, pool: pool)
            }
            for (choice, value) in found { scores[ScoreName(group: group.name, choice: choice.name)] = value }
        }
        try record(scores, importances, fraction())
    }
}

extension Matrix {
    /// The difference to `other`, of the same shape; nil where there is none.
    fileprivate func minus(_ other: Matrix) -> Matrix? {
        guard values != other.values else { return nil }
        return Matrix(rows: rows, columns: columns, values: zip(values, other.values).map { $0 - $1 })
    }
}
