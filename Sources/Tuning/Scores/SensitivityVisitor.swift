internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Reference

/// Scores every choice of every group while a Fisher sweep passes by: quantize, pack, multiply, project on the gradient.
///
/// Each score is recorded as soon as it is known, so that a run that is stopped, even by a kill, measures little twice.
struct SensitivityVisitor: FisherVisitor {
    let model: Model
    let configuration: ModelConfiguration
    /// Groups with the choices that have no score yet.
    let wanted: [(group: ChoiceGroup, missing: [Choice])]
    /// Scores that are known already, the heads' parts among them.
    let known: [ScoreName: Double]
    let calibration: TokenSequences
    let pool: ThreadPool
    /// Called with what has just been measured, and where the sweep is.
    let record: (Finding) throws -> Void

    /// Something that was measured.
    struct Finding {
        var scores: [ScoreName: Double] = [:]
        var importances: [String: TensorImportance] = [:]
        /// The group or tensor that was measured.
        var name: String
        /// The share of the sweep that is done.
        var fraction: Double
    }

    private let quantizer: MatrixQuantizer
    /// Visits so far: the head, four groups for each layer, the embedding.
    private var visits = 0
    /// Embeddings that are heads too, by group, between the head's visit and the embedding's.
    private var tied: [String: TiedEmbedding] = [:]

    private struct TiedEmbedding {
        var lookups: EmbeddingScorer
        let importance: TensorImportance
        var headScores: [Choice: Double] = [:]
    }

    init(
        model: Model, wanted: [(group: ChoiceGroup, missing: [Choice])], known: [ScoreName: Double],
        calibration: TokenSequences, pool: ThreadPool, record: @escaping (Finding) throws -> Void
    ) {
        self.model = model
        configuration = model.configuration
        self.wanted = wanted
        self.known = known
        self.calibration = calibration
        self.pool = pool
        self.record = record
        quantizer = MatrixQuantizer(model: model, pool: pool)
    }

    /// Where the sweep is, with `share` of the current visit done.
    private func fraction(_ share: Double) -> Double {
        (Double(visits) + share) / Double(4 * configuration.layers + 2)
    }

    mutating func visitHead(hidden: Matrix) throws {
        defer { visits += 1 }
        let columns = TensorImportance.meanSquares(of: hidden, columns: 0..<hidden.columns, pool: pool)
        for (group, missing) in wanted where group.role.isHead {
            guard let tensor = group.tensors.first else { continue }
            let importance = TensorImportance(
                columns: columns, rows: [Float](repeating: 1, count: tensor.rows))
            try record(
                Finding(importances: [tensor.name: importance], name: tensor.name, fraction: fraction(0)))
            guard !missing.isEmpty else { continue }
            if group.role == .tiedEmbedding {
                tied[group.name] = TiedEmbedding(lookups: try lookups(of: tensor), importance: importance)
            }
            let part = group.role == .tiedEmbedding ? Self.headPart(of: group.name) : group.name
            var unscored: [Choice] = []
            for choice in missing {
                if let score = known[ScoreName(group: part, choice: choice.name)] {
                    tied[group.name]?.headScores[choice] = score
                } else {
                    unscored.append(choice)
                }
            }
            var done = 0
            try HeadScorer(quantizer: quantizer, hidden: hidden).score(
                Self.sharing(unscored), tensor: tensor, importance: importance
            ) { stored, scores in
                tied[group.name]?.lookups.keep(stored, for: Array(scores.keys), pool: pool)
                tied[group.name]?.headScores.merge(scores) { first, _ in first }
                done += scores.count
                try record(
                    Finding(
                        scores: Self.named(scores, part), name: tensor.name,
                        fraction: fraction(Double(done) / Double(unscored.count))))
            }
        }
    }

    /// The name under which the part of a tied embedding's score is kept that it has as a head.
    private static func headPart(of group: String) -> String { "\(group) as head" }

    private static func named(_ scores: [Choice: Double], _ group: String) -> [ScoreName: Double] {
        Dictionary(
            scores.map { (ScoreName(group: group, choice: $0.key.name), $0.value) },
            uniquingKeysWith: { first, _ in first })
    }

    private func lookups(of tensor: ChoiceGroup.Tensor) throws -> EmbeddingScorer {
        EmbeddingScorer(
            tokens: calibration.sequences.flatMap(\.self), embedding: try quantizer.weights(tensor.name))
    }

    mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) throws {
        defer { visits += 1 }
        let units = wanted.compactMap { entry in
            ScoringUnit(
                entry.group, layer: layer, shown: group, missing: entry.missing,
                configuration: configuration)
        }
        let errors = OutputErrors(gradients: outputGradients, pool: pool)
        let columns = TensorImportance.meanSquares(of: inputs, columns: 0..<inputs.columns, pool: pool)
        for (index, unit) in units.enumerated() {
            var importances: [String: TensorImportance] = [:]
            for (tensor, first) in zip(unit.group.tensors, unit.columns) {
                importances[tensor.name] = TensorImportance(
                    columns: columns,
                    rows: TensorImportance.meanSquares(
                        of: outputGradients, columns: first..<first + tensor.rows, pool: pool))
            }
            try record(
                Finding(
                    importances: importances, name: unit.group.name,
                    fraction: fraction(Double(index) / Double(units.count))))
            guard !unit.missing.isEmpty else { continue }
            let matrices = try unit.group.tensors.map { tensor in
                let weights = try quantizer.weights(tensor.name)
                return (weights: weights, exact: pool.product(inputs, weights, .transposedRight))
            }
            var done = 0
            for sharing in Self.sharing(unit.missing) {
                var projections: [Choice: [Double]] = [:]
                for choice in sharing { projections[choice] = [Double](repeating: 0, count: inputs.rows) }
                for (position, tensor) in unit.group.tensors.enumerated() {
                    guard let importance = importances[tensor.name] else { continue }
                    let (weights, exact) = matrices[position]
                    let stored = try quantizer.quantize(
                        tensor, weights: weights, as: sharing[0], importance: importance)
                    for choice in sharing {
                        if choice.format == .float16 {
                            projections[choice] = try halfProjections(
                                stored, tensor, weights, inputs: inputs, errors: errors,
                                first: unit.columns[position], adding: projections[choice] ?? [])
                            continue
                        }
                        let matrix = try quantizer.executable(stored, activation: choice.activation)
                        let outputs = try matrix.multiply(inputs, pool: pool)
                        errors.project(
                            outputs, minus: exact, first: unit.columns[position],
                            into: &projections[choice, default: []])
                    }
                }
                done += sharing.count
                let share =
                    (Double(index) + Double(done) / Double(unit.missing.count)) / Double(units.count)
                try record(
                    Finding(
                        scores: Self.named(projections.mapValues(OutputErrors.sensitivity), unit.group.name),
                        name: unit.group.name, fraction: fraction(share)))
            }
        }
    }

    /// Positions that tell what half precision costs: next to nothing, in a product as dear as the exact one.
    private static let halfPositions = 128

    /// Projections for unquantized half precision, of the first positions: in float the output error is the product with what
    /// rounding changed.
    private func halfProjections(
        _ stored: PlannedWeights.Stored, _ tensor: ChoiceGroup.Tensor, _ weights: Matrix, inputs: Matrix,
        errors: OutputErrors, first: Int, adding sums: [Double]
    ) throws -> [Double] {
        var projections = Array(sums.prefix(Self.halfPositions))
        guard let changed = stored.dequantized(pool: pool).minus(weights) else { return projections }
        let rows = Matrix(
            rows: projections.count, columns: inputs.columns,
            values: Array(inputs.values.prefix(projections.count * inputs.columns)))
        errors.project(
            pool.product(rows, changed, .transposedRight), minus: Matrix(rows: rows.rows, columns: tensor.rows),
            first: first, into: &projections)
        return projections
    }

    /// Choices by what they share: those that differ in their activation only have the same quantized weights.
    private static func sharing(_ choices: [Choice]) -> [[Choice]] {
        var result: [[Choice]] = []
        for choice in choices {
            let index = result.firstIndex {
                $0[0].format == choice.format && $0[0].refinement == choice.refinement
            }
            if let index { result[index].append(choice) } else { result.append([choice]) }
        }
        return result
    }

    mutating func visitEmbedding(outputGradients: Matrix) throws {
        for (group, missing) in wanted where group.role == .embedding || group.role == .tiedEmbedding {
            guard let tensor = group.tensors.first else { continue }
            var importance = TensorImportance(
                columns: TensorImportance.meanSquares(
                    of: outputGradients, columns: 0..<outputGradients.columns, pool: pool),
                rows: [Float](repeating: 1, count: tensor.rows))
            if group.role == .embedding {
                try record(
                    Finding(importances: [tensor.name: importance], name: tensor.name, fraction: fraction(0)))
            }
            guard !missing.isEmpty else { continue }
            var headScores: [Choice: Double] = [:]
            var lookups: EmbeddingScorer
            if let tied = tied[group.name] {
                (lookups, importance, headScores) = (tied.lookups, tied.importance, tied.headScores)
            } else {
                lookups = try self.lookups(of: tensor)
            }
            let kept = missing.filter(lookups.choices.contains)
            func finish(_ share: Double) throws {
                let found = lookups.sensitivities(gradients: outputGradients, pool: pool)
                    .map { ($0.key, $0.value + (headScores[$0.key] ?? 0)) }
                try record(
                    Finding(
                        scores: Self.named(Dictionary(uniqueKeysWithValues: found), group.name),
                        name: tensor.name,
                        fraction: fraction(share)))
                lookups.forget()
            }
            try finish(0)
            let weights = try quantizer.weights(tensor.name)
            for sharing in Self.sharing(missing.filter { !kept.contains($0) }) {
                lookups.keep(
                    try quantizer.quantize(tensor, weights: weights, as: sharing[0], importance: importance),
                    for: sharing, pool: pool)
                try finish(0.5)
            }
        }
        try record(Finding(name: "embedding", fraction: 1))
    }
}

extension Matrix {
    /// The difference to `other`, of the same shape; nil where there is none.
    fileprivate func minus(_ other: Matrix) -> Matrix? {
        guard values != other.values else { return nil }
        return Matrix(rows: rows, columns: columns, values: zip(values, other.values).map { $0 - $1 })
    }
}
