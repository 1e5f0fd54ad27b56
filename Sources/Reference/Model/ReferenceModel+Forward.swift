package import Compute
internal import ModelFiles

extension ReferenceModel {
    /// The final norm's output for every position of `tokens`: tokens x width.
    package func hidden(tokens: [Int32]) throws(ReferenceError) -> Matrix {
        try hidden(sequences: [tokens])
    }

    /// The final norm's output for every position of several sequences, stacked in their order.
    package func hidden(sequences: [[Int32]]) throws(ReferenceError) -> Matrix {
        finalNorm(try run(layers[...], sequences).residual)
    }

    /// What the matrices of layer `chosen` read at every position of several sequences, stacked in their order: positions x inputs.
    package func inputs(ofLayer chosen: Int, sequences: [[Int32]]) throws(ReferenceError) -> [LayerGroup: Matrix] {
        guard layers.indices.contains(chosen) else {
            throw ReferenceError("layer \(chosen)", "not in a model of \(layers.count) layers")
        }
        let activations = try run(layers[...chosen], sequences).activations
        return [
            .attentionInput: activations.attentionInput, .attentionOutput: activations.attended,
            .feedForwardInput: activations.feedForwardInput, .down: activations.downInput,
        ]
    }

    /// Runs the first layers over several sequences, stacked in their order: what the last of them computed, and the residual stream
    /// behind it.
    private func run(
        _ layers: ArraySlice<Layer>, _ sequences: [[Int32]]
    ) throws(ReferenceError) -> (activations: LayerActivations, residual: Matrix) {
        let batch = try TokenBatch(sequences, vocabulary: configuration.vocabulary)
        let rotary = RotaryTable(positions: batch.longest, configuration: configuration)
        var activations = LayerActivations(rows: batch.tokens.count, configuration: configuration)
        var residual = embed(batch.tokens)
        for layer in layers {
            activations.compute(layer, residual: residual, batch: batch, rotary: rotary, pool: pool)
            activations.addFeedForward(layer, to: &residual, pool: pool)
        }
        return (activations, residual)
    }

    /// The logits of every row of `hidden`: rows x vocabulary.
    package func head(_ hidden: Matrix) -> Matrix {
        pool.product(hidden, headMatrix, .transposedRight)
    }

    /// The final norm's output at positions `rows` of `tokens`: rows x width.
    package func hidden(tokens: [Int32], rows: Range<Int>) throws(ReferenceError) -> Matrix {
        guard rows.lowerBound >= 0, rows.upperBound <= tokens.count else {
            throw ReferenceError("rows \(rows)", "outside a sequence of \(tokens.count) tokens")
        }
        return try hidden(tokens: tokens).rows(rows)
    }

    /// The logits at positions `rows` of `tokens`: rows x vocabulary.
    package func logits(tokens: [Int32], rows: Range<Int>) throws(ReferenceError) -> Matrix {
        head(try hidden(tokens: tokens, rows: rows))
    }

    /// The rows of the embedding for `tokens`, whose ids have been checked.
    func embed(_ tokens: [Int32]) -> Matrix {
        var result = Matrix(rows: tokens.count, columns: configuration.width)
        for (row, token) in tokens.enumerated() {
            let start = row * result.columns
            result.values.replaceSubrange(start..<start + result.columns, with: embedding[row: Int(token)])
        }
        return result
    }

    func finalNorm(_ residual: Matrix) -> Matrix {
        var result = Matrix(rows: residual.rows, columns: residual.columns)
        pool.rmsNorm(residual, weight: outputNorm, epsilon: configuration.normEpsilon, into: &result)
        return result
    }
}

extension Matrix {
    /// A copy of the rows `range`.
    func rows(_ range: Range<Int>) -> Matrix {
        Matrix(
            rows: range.count, columns: columns,
            values: Array(values[range.lowerBound * columns..<range.upperBound * columns]))
    }
}
