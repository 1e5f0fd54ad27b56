internal import Compute
internal import ModelFiles
internal import Quantization

/// What choices cost once `gptq` has refined them: their score, times what the refinement leaves of the error of the outputs, in one
/// layer's matrices of that kind with the source's inputs. Kinds and grids gain unlike: an affine grid's zero points have taken over
/// already some of what later columns could, attention's outputs gain most, and the KV cache gains nothing. Widths of one grid gain
/// alike, and have one share.
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
            if let known = measured[kind]?[choice] { return known }
            try progress(Double(done) / Double(catalog.groups.count))
            let groups = catalog.groups.filter { CodedScorer.kind(of: $0) == kind }
            let result = try groups.compactMap { try share(of: choice, in: $0, inputs) }.first ?? 1
            measured[kind, default: [:]][choice] = result
            return result
        }
        /// The median of like formats: alone they differ by a tenth by chance, and a knapsack finds those that chance favours.
        func typical(_ group: ChoiceGroup, _ choice: Choice, done: Int) throws -> Double {
            guard try isWorthwhile(choice, in: group) else { return 1 }
            let shares = try choice.format.alike.map { format in
                try left(
                    CodedScorer.kind(of: group),
                    Choice(format: format, activation: format.defaultActivation, refinement: choice.refinement),
                    done: done)
            }
            return shares.sorted()[shares.count / 2]
        }
        var found: [ScoreName: Double] = [:]
        var shares: [ScoreName: Double] = [:]
        for (index, group) in catalog.groups.enumerated() {
            for choice in group.choices {
                let score = try scores.sensitivity(group.name, choice.name)
                let name = Self.name(group, choice)
                let refined = try known[name] ?? typical(group, choice, done: index) * score
                if known[name] == nil { found[name] = refined }
                shares[ScoreName(group: group.name, choice: choice.name)] = score > 0 ? refined / score : 1
            }
        }
        try store.put(found, in: context)
        return shares
    }

    /// Whether `choice` refines what is in `group`.
    private func isWorthwhile(_ choice: Choice, in group: ChoiceGroup) throws -> Bool {
        try group.tensors.allSatisfy {
            PlanRefiner.isWorthwhile(choice, isHead: group.role.isHead, try quantizer.model.tensor($0.name))
        }
    }

    /// The share of the error of the outputs of `group` that is left where `choice` is refined; nil where its inputs are not known.
    private func share(of choice: Choice, in group: ChoiceGroup, _ inputs: RefinementInputs) throws -> Double? {
        var (plain, refined) = (0.0, 0.0)
        for tensor in group.tensors {
            let source = try quantizer.model.tensor(tensor.name)
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

extension Format {
    /// Formats that gain alike from compensation, an odd number: of the same grid and granularity, in three widths or rates.
    fileprivate var alike: [Format] {
        guard case .grid(let own) = self else { return [self] }
        if own.indexRate != nil {
            return [(4, 26), (4, 30), (5, 36)].map { bits, rate in
                .grid(GridFormat(own.grid, bits: bits, own.granularity, indexRate: rate))
            }
        }
        let valid = own.grid.validBits
        let least = min(max(3, valid.lowerBound), valid.upperBound - 2)
        return (least...least + 2).map { bits in
            .grid(GridFormat(own.grid, bits: bits, own.granularity, rowBlockCodebooks: own.rowBlockCodebooks))
        }
    }
}
