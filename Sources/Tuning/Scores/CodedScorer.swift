internal import Compute
internal import ModelFiles
internal import Quantization

/// What choices with coded indices cost, by a plain relative of theirs: its score, times the error that they leave in the weights over the
/// error that it leaves, in one layer's matrices of that kind. Both have one codebook and scales for the same runs of weights, so that
/// their errors lie alike, and a format that few profiles ask for needs no sweep.
struct CodedScorer {
    let quantizer: MatrixQuantizer
    /// Those of relatives, and the importances of `examples`, among them.
    let scores: Scores
    /// A group of each kind.
    let examples: [String: ChoiceGroup]
    /// By group.
    private var errors: [String: [Choice: Double]] = [:]

    /// Rows of each matrix that are tried.
    private static let rows = 128

    init(quantizer: MatrixQuantizer, scores: Scores, examples: [String: ChoiceGroup]) {
        self.quantizer = quantizer
        self.scores = scores
        self.examples = examples
    }

    /// The choice whose score `choice` is scored by: a packed codebook of four bits. Nil where indices are not coded.
    static func relative(of choice: Choice) -> Choice? {
        guard case .grid(let format) = choice.format, format.indexRate != nil else { return nil }
        var relative = choice
        relative.format = .grid(GridFormat(.codebook, bits: 4, format.granularity))
        return relative
    }

    /// The groups whose weights tell the ratios, by kind: those of the middle layer.
    static func examples(among groups: [ChoiceGroup]) -> [String: ChoiceGroup] {
        var kinds: [String: [ChoiceGroup]] = [:]
        for group in groups where !(kinds[kind(of: group)]?.contains { $0.name == group.name } ?? false) {
            kinds[kind(of: group), default: []].append(group)
        }
        return kinds.mapValues { $0[$0.count / 2] }
    }

    /// A group's name without its layer.
    static func kind(of group: ChoiceGroup) -> String {
        group.role == .layer ? String(group.name.split(separator: ".").last ?? "") : group.name
    }

    /// Nats per token that `choice`, whose indices are coded, adds in `group`.
    mutating func sensitivity(of choice: Choice, in group: ChoiceGroup) throws -> Double {
        let relative = Self.relative(of: choice) ?? choice
        let own = try scores.sensitivity(group.name, relative.name)
        guard let example = examples[Self.kind(of: group)] else { return own }
        let plain = try error(of: relative, in: example)
        return plain > 0 ? try error(of: choice, in: example) / plain * own : own
    }

    private mutating func error(of choice: Choice, in group: ChoiceGroup) throws -> Double {
        if let known = errors[group.name]?[choice] { return known }
        let error = try measuredError(of: choice, in: group)
        errors[group.name, default: [:]][choice] = error
        return error
    }

    /// Errors of weights, squared, times what calibration says of their row and column.
    private func measuredError(of choice: Choice, in group: ChoiceGroup) throws -> Double {
        try group.tensors.reduce(0) { sum, tensor in
            guard let importance = scores.importances[tensor.name] else { return sum }
            let source = try quantizer.model.tensor(tensor.name)
            let chosen = source.spreadRows(Self.rows)
            let weights = source.matrix(rows: chosen)
            let rows = TensorImportance(columns: importance.columns, rows: chosen.map { importance.rows[$0] })
            let rounded = try quantizer.quantize(
                ChoiceGroup.Tensor(name: tensor.name, rows: chosen.count, columns: tensor.columns), weights: weights,
                as: choice, importance: rows
            ).dequantized(pool: quantizer.pool)
            let total = (0..<weights.rows).reduce(0.0) { total, row in
                let errors = zip(rounded[row: row], weights[row: row]).map { Double($0) - Double($1) }
                let squares = zip(errors, rows.columns).reduce(0.0) { $0 + $1.0 * $1.0 * Double($1.1) }
                return total + squares * Double(rows.rows[row])
            }
            return sum + total * Double(tensor.rows) / Double(chosen.count)
        }
    }
}
