internal import Compute
internal import IntegerRuntime
internal import Quantization
internal import Reference

/// What a choice for the output head costs: the KL divergence itself, between the head's own logits and those of its packed
/// form on the float model's final hidden states, activation rounding included.
struct HeadScorer {
    let quantizer: MatrixQuantizer
    /// Inputs of the head: positions x width.
    let hidden: Matrix

    /// Positions that are compared, spread evenly: 512 give a mean KL to a few percent, and each costs a row of the vocabulary.
    private static let positions = 512
    /// Positions whose logits are held at a time.
    private static let piece = 128

    /// Finds the mean KL of each choice. `visit` sees each quantized form once, with the choices that share it and what
    /// each of them costs.
    func score(
        _ choices: [[Choice]], tensor: ChoiceGroup.Tensor, importance: TensorImportance,
        visit: (_ stored: PlannedWeights.Stored, _ scores: [Choice: Double]) throws -> Void
    ) throws {
        guard !choices.isEmpty else { return }
        let pool = quantizer.pool
        let weights = try quantizer.weights(tensor.name)
        let pieces = self.pieces
        let exact = pieces.map { pool.product($0, weights, .transposedRight) }
        for sharing in choices {
            let stored = try quantizer.quantize(tensor, weights: weights, as: sharing[0], importance: importance)
            var scores: [Choice: Double] = [:]
            for choice in sharing {
                let matrix = try quantizer.executable(
                    stored, activation: choice.activation, frozenScale: importance.frozenScale)
                var sum = 0.0
                var count = 0
                for (inputs, logits) in zip(pieces, exact) {
                    let outputs = try matrix.multiply(inputs, pool: pool)
                    // The targets do not matter for the divergence.
                    let rows = try pool.compareLogits(
                        reference: logits, candidate: outputs, targets: [Int32](repeating: 0, count: inputs.rows))
                    sum = rows.reduce(sum) { $0 + $1.divergence }
                    count += rows.count
                }
                scores[choice] = max(0, sum / Double(max(1, count)))
            }
            try visit(stored, scores)
        }
    }

    private var pieces: [Matrix] {
        let count = min(Self.positions, hidden.rows)
        let rows = (0..<count).map { $0 * hidden.rows / count }
        return stride(from: 0, to: count, by: Self.piece).map { first in
            let part = rows[first..<min(first + Self.piece, count)]
            return Matrix(rows: part.count, columns: hidden.columns, values: part.flatMap { hidden[row: $0] })
        }
    }
}
