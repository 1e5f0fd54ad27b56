internal import Compute
internal import ModelFiles
internal import Quantization

/// What choices cost once `gptq` has refined them: their score, times what the refinement leaves of the error of the outputs, in one
/// layer's matrices of that kind with the source's inputs. Formats and kinds gain unlike: an affine grid's zero points have taken over
/// already some of what later columns could, attention's outputs gain most, and the KV cache gains nothing.
struct RefinedScorer {
    let quantizer: MatrixQuantizer
    /// Those of unrefined choices, and the importances.
    let scores: Scores
    let store: ScoreStore
    /// The key of refined scores in the store.
    let context: String

    /// What a matrix is refined for, and the second moments of other inputs, by which that is measured: on those that it was fitted to a
    /// head of 49,152 rows had half of the error that it had on others.
    struct Inputs {
        let compensation: ErrorCompensation
        let moments: Matrix

        /// Both positions x columns.
        init(_ inputs: Matrix, other: Matrix, damping: Float, pool: ThreadPool) {
            compensation = ErrorCompensation(
                factor: InverseFactor(moments: pool.gram(inputs), damping: damping, pool: pool), pool: pool)
            moments = pool.gram(other)
        }
    }

    /// Rows of each matrix that are tried.
    private static let rows = 128

    /// The choice's name in refined scores.
    private static func name(_ group: ChoiceGroup, _ choice: Choice) -> ScoreName {
        ScoreName(group: group.name, choice: "\(choice.name)+\(Refinement.gptq.rawValue)")
    }

    /// Whether the store has refined scores for all choices of `catalog`.
    func knowsAll(of catalog: ChoiceCatalog) throws -> Bool {
        let known = try store.scores(context)
        return catalog.groups.allSatisfy { group in group.choices.allSatisfy { known[Self.name(group, $0)] != nil } }
    }

    /// For every group and choice of `catalog` the share of its score that refining leaves. What the store has not is measured
    /// in the layer and the head that `inputs` knows; `progress` gets the share of the catalog that is done before each measurement.
    func shares(
        of catalog: ChoiceCatalog, inputs: RefinementInputs, progress: (_ fraction: Double) throws -> Void
    ) throws -> [ScoreName: Double] {
        let known = try store.scores(context)
        var measured: [String: [Choice: Double]] = [:]
        /// Inputs are rounded as before, whatever becomes of the weights.
        func left(_ kind: String, _ choice: Choice, done: Int) throws -> Double {
            var weights = choice
            weights.activation = choice.format.defaultActivation
            if let known = measured[kind]?[weights] { return known }
            try progress(Double(done) / Double(catalog.groups.count))
            let groups = catalog.groups.filter { CodedScorer.kind(of: $0) == kind }
            let result = try groups.compactMap { try share(of: weights, in: $0, inputs) }.first ?? 1
            measured[kind, default: [:]][weights] = result
            return result
        }
        var found: [ScoreName: Double] = [:]
        var shares: [ScoreName: Double] = [:]
        for (index, group) in catalog.groups.enumerated() {
            for choice in group.choices {
                let score = try scores.sensitivity(group.name, choice.name)
                let refined =
                    try known[Self.name(group, choice)]
                    ?? left(CodedScorer.kind(of: group), choice, done: index) * score
                if known[Self.name(group, choice)] == nil { found[Self.name(group, choice)] = refined }
                shares[ScoreName(group: group.name, choice: choice.name)] = score > 0 ? refined / score : 1
            }
        }
        try store.put(found, in: context)
        return shares
    }

    /// The share of the error of the outputs of `group` that is left where `choice` is refined; nil where its inputs are not known.
    private func share(of choice: Choice, in group: ChoiceGroup, _ inputs: RefinementInputs) throws -> Double? {
        var (plain, refined) = (0.0, 0.0)
        for tensor in group.tensors {
            let source = try quantizer.model.tensor(tensor.name)
            guard PlanRefiner.isWorthwhile(choice, isHead: group.role.isHead, source) else { return 1 }
            guard let importance = scores.importances[tensor.name], let inputs = try inputs.inputs(of: tensor.name)
            else { return nil }
            let chosen = source.spreadRows(Self.rows)
            let weights = source.matrix(rows: chosen)
            let weighed = TensorImportance(columns: importance.columns, rows: chosen.map { importance.rows[$0] })
            let sample = ChoiceGroup.Tensor(name: tensor.name, rows: chosen.count, columns: tensor.columns)
            func error(_ stored: PlannedWeights.Stored) -> Double {
                let errors = stored.dequantized(pool: quantizer.pool).minus(weights)
                let products = quantizer.pool.product(errors, inputs.moments, .plain)
                let sum = (0..<errors.rows).reduce(0.0) { sum, row in
                    let square = zip(errors[row: row], products[row: row])
                        .reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                    return sum + square * Double(weighed.rows[row])
                }
                return sum * Double(tensor.rows) / Double(chosen.count)
            }
            plain += error(try quantizer.quantize(sample, weights: weights, as: choice, importance: weighed))
            refined += error(
                try quantizer.compensate(weights, as: choice.format, inputs.compensation, importance: weighed))
        }
        return plain > 0 ? refined / plain : 1
    }
}
