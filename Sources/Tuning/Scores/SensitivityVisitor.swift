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
    let wanted: MissingScores.Part
    let calibration: TokenSequences
    /// Finds the ranges of static inputs.
    let observer: RangeObserver
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
    /// Tensors whose importance is not known yet.
    private let unweighed: Set<String>
    /// Visits before this one: the head's, four groups of each layer from the last on, the embedding's.
    private var visits = 0
    /// The inputs of a head that is the embedding too, kept until the embedding's visit: there both uses of a choice are scored
    /// together, so that nothing of it is done twice after a stop in between.
    private var tiedInputs: Matrix?

    init(
        model: Model, wanted: MissingScores.Part, weighed: Set<String>,
        calibration: TokenSequences, observer: RangeObserver, pool: ThreadPool,
        record: @escaping (Finding) throws -> Void
    ) {
        self.model = model
        configuration = model.configuration
        self.wanted = wanted
        unweighed = Set(wanted.flatMap { $0.group.tensors.map(\.name) }).subtracting(weighed)
        self.calibration = calibration
        self.observer = observer
        self.pool = pool
        self.record = record
        quantizer = MatrixQuantizer(model: model, pool: pool)
    }

    /// Where the sweep is, with `share` of the current visit done.
    private func fraction(_ share: Double) -> Double {
        (Double(visits) + share) / Double(4 * configuration.layers + 2)
    }

    /// Whether a group of `layer` misses a score or an importance.
    func needs(layer: Int) -> Bool {
        let names = Set(LayerGroup.allCases.flatMap { ScoringUnit.tensors(layer: layer, $0) })
        return wanted.contains { group, missing in
            group.tensors.contains { names.contains($0.name) && (!missing.isEmpty || unweighed.contains($0.name)) }
        }
    }

    mutating func visitHead(hidden: Matrix) throws {
        visits = 0
        for (group, missing) in wanted where group.role.isHead {
            guard let tensor = group.tensors.first else { continue }
            let importance = headImportance(hidden, tensor, missing)
            try record(
                Finding(importances: [tensor.name: importance], name: tensor.name, fraction: fraction(0)))
            guard group.role == .head else {
                tiedInputs = hidden
                continue
            }
            var done = 0
            try HeadScorer(quantizer: quantizer, hidden: hidden).score(
                Self.sharing(missing), tensor: tensor, importance: importance
            ) { _, scores in
                done += scores.count
                try record(
                    Finding(
                        scores: Self.named(scores, group.name), name: tensor.name,
                        fraction: fraction(Double(done) / Double(missing.count))))
            }
        }
    }

    /// How much the inputs of a head weigh; its outputs weigh alike.
    private func headImportance(
        _ hidden: Matrix, _ tensor: ChoiceGroup.Tensor, _ missing: [Choice]
    ) -> TensorImportance {
        TensorImportance(
            columns: TensorImportance.meanSquares(of: hidden, columns: 0..<hidden.columns, pool: pool),
            rows: [Float](repeating: 1, count: tensor.rows), frozenScale: frozenScale(of: hidden, for: missing))
    }

    /// The scale of inputs for which one of `choices` wants a frozen one.
    private func frozenScale(of inputs: Matrix, for choices: [Choice]) -> Float? {
        guard choices.contains(where: { $0.activation == .static }) else { return nil }
        return observer.range(of: MagnitudeHistogram(of: inputs, sequence: calibration.period)) / 127
    }

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
        let order = LayerGroup.sweepOrder.firstIndex(of: group) ?? 0
        visits = 1 + 4 * (configuration.layers - 1 - layer) + order
        let units = wanted.compactMap { entry in
            ScoringUnit(
                entry.group, layer: layer, shown: group, missing: entry.choices,
                configuration: configuration)
        }
        let errors = OutputErrors(gradients: outputGradients, pool: pool)
        let columns = TensorImportance.meanSquares(of: inputs, columns: 0..<inputs.columns, pool: pool)
        let frozenScale = frozenScale(of: inputs, for: units.flatMap(\.missing))
        for (index, unit) in units.enumerated() {
            var importances: [String: TensorImportance] = [:]
            for (tensor, first) in zip(unit.group.tensors, unit.columns) {
                importances[tensor.name] = TensorImportance(
                    columns: columns,
                    rows: TensorImportance.meanSquares(
                        of: outputGradients, columns: first..<first + tensor.rows, pool: pool),
                    frozenScale: frozenScale)
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
                        let matrix = try quantizer.executable(
                            stored, activation: choice.activation, frozenScale: frozenScale)
                        let outputs = try matrix.multiply(inputs, position: 0, sequence: calibration.period, pool: pool)
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
        let rounded = stored.dequantized(pool: pool)
        guard rounded.values != weights.values else { return projections }
        let rows = Matrix(
            rows: projections.count, columns: inputs.columns,
            values: Array(inputs.values.prefix(projections.count * inputs.columns)))
        errors.project(
            pool.product(rows, rounded.minus(weights), .transposedRight),
            minus: Matrix(rows: rows.rows, columns: tensor.rows), first: first, into: &projections)
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
        visits = 1 + 4 * configuration.layers
        for (group, missing) in wanted {
            guard let tensor = group.tensors.first else { continue }
            switch group.role {
            case .embedding: try scoreLookups(group, missing, tensor, outputGradients)
            case .tiedEmbedding: try scoreTied(group, missing, tensor, outputGradients)
            case .layer, .head: continue
            }
        }
        try record(Finding(name: "embedding", fraction: 1))
    }

    /// Scores an embedding that is no head.
    private func scoreLookups(
        _ group: ChoiceGroup, _ missing: [Choice], _ tensor: ChoiceGroup.Tensor, _ gradients: Matrix
    ) throws {
        let importance = TensorImportance(
            columns: TensorImportance.meanSquares(of: gradients, columns: 0..<gradients.columns, pool: pool),
            rows: [Float](repeating: 1, count: tensor.rows))
        try record(Finding(importances: [tensor.name: importance], name: tensor.name, fraction: fraction(0)))
        guard !missing.isEmpty else { return }
        let lookups = try lookups(of: tensor)
        let weights = try quantizer.weights(tensor.name)
        for sharing in Self.sharing(missing) {
            let stored = try quantizer.quantize(tensor, weights: weights, as: sharing[0], importance: importance)
            let score = lookups.sensitivity(of: stored, gradients: gradients, pool: pool)
            let scores = Dictionary(sharing.map { ($0, score) }, uniquingKeysWith: { first, _ in first })
            try record(
                Finding(scores: Self.named(scores, group.name), name: tensor.name, fraction: fraction(0.5)))
        }
    }

    /// Scores an embedding that is the head too: what it costs as the one and as the other.
    private func scoreTied(
        _ group: ChoiceGroup, _ missing: [Choice], _ tensor: ChoiceGroup.Tensor, _ gradients: Matrix
    ) throws {
        guard let hidden = tiedInputs, !missing.isEmpty else { return }
        let lookups = try lookups(of: tensor)
        var done = 0
        try HeadScorer(quantizer: quantizer, hidden: hidden).score(
            Self.sharing(missing), tensor: tensor, importance: headImportance(hidden, tensor, missing)
        ) { stored, headScores in
            let lookup = lookups.sensitivity(of: stored, gradients: gradients, pool: pool)
            done += headScores.count
            try record(
                Finding(
                    scores: Self.named(headScores.mapValues { lookup + $0 }, group.name), name: tensor.name,
                    fraction: fraction(Double(done) / Double(missing.count))))
        }
    }
}
