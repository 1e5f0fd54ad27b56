internal import CKernels
internal import Compute
internal import ModelFiles

/// One forward and one backward pass of L = sum over positions of log p(label), which shows a visitor the input and the
/// output gradient of every matrix (design.md, section 5). Only each layer's residual input is kept from the forward
/// pass; the rest of a layer is computed again on the way back.
package struct FisherSweep {
    /// Where the labels of L come from.
    package enum Labels: Sendable {
        /// One for each position of each sequence.
        case given([[Int32]])
        /// Drawn from the model's own distribution at each position: the true Fisher information.
        case sampled(seed: UInt64)
    }

    /// Positions whose logits are held at a time: 50 MB for a vocabulary of 49152.
    private static let piece = 256

    private let model: ReferenceModel
    private let batch: TokenBatch
    private let firstRow: Int

    /// A sweep of `model` over `sequences`, none of which may be empty. `firstRow` is the number of tokens in sequences that
    /// are swept apart from these and come before them: labels are drawn as if all were swept together.
    package init(model: ReferenceModel, sequences: [[Int32]], firstRow: Int = 0) throws(ReferenceError) {
        self.model = model
        self.firstRow = firstRow
        batch = try TokenBatch(sequences, vocabulary: model.configuration.vocabulary)
    }

    /// Runs both passes and returns the labels, stacked. Throws `ReferenceError` for labels that do not fit, and what
    /// `visitor` throws.
    @discardableResult
    package func run(labels: Labels, visitor: inout some FisherVisitor) throws -> [Int32] {
        let given = try check(labels)
        let configuration = model.configuration
        let rotary = RotaryTable(positions: batch.longest, configuration: configuration)
        var activations = LayerActivations(rows: batch.tokens.count, configuration: configuration)

        var residuals = [model.embed(batch.tokens)]
        for (index, layer) in model.layers.enumerated() {
            var residual = residuals[index]
            activations.compute(layer, residual: residual, batch: batch, rotary: rotary, pool: model.pool)
            activations.addFeedForward(layer, to: &residual, pool: model.pool)
            residuals.append(residual)
        }

        let hidden = model.finalNorm(residuals[model.layers.count])
        try visitor.visitHead(hidden: hidden)
        let (hiddenGradient, labels) = propagateThroughHead(hidden, labels: labels, given: given)
        var gradient = Matrix(rows: hidden.rows, columns: hidden.columns)
        model.pool.rmsNormBackward(
            residuals.removeLast(), weight: model.outputNorm, epsilon: configuration.normEpsilon,
            yGradient: hiddenGradient, addingTo: &gradient)

        var gradients = LayerGradients(rows: batch.tokens.count, configuration: configuration)
        for (index, layer) in model.layers.enumerated().reversed() {
            let residual = residuals.removeLast()
            activations.compute(layer, residual: residual, batch: batch, rotary: rotary, pool: model.pool)
            try gradients.propagate(
                &gradient, through: layer, activations: activations, residual: residual, batch: batch, rotary: rotary,
                pool: model.pool
            ) { group, inputs, outputGradients in
                try visitor.visit(layer: index, group: group, inputs: inputs, outputGradients: outputGradients)
            }
        }
        try visitor.visitEmbedding(outputGradients: gradient)
        return labels
    }

    /// The given labels, stacked; none where they are to be sampled.
    private func check(_ labels: Labels) throws(ReferenceError) -> [Int32] {
        guard case .given(let sequences) = labels else { return [] }
        guard sequences.map(\.count) == batch.sequences.map(\.count) else {
            throw ReferenceError("labels", "they do not fit the sequences; give one label for each token")
        }
        let stacked = sequences.flatMap(\.self)
        try TokenBatch.check(stacked, vocabulary: model.configuration.vocabulary, place: "labels")
        return stacked
    }

    /// The gradient of L at the head's input, and the labels, a piece of the positions at a time.
    private func propagateThroughHead(
        _ hidden: Matrix, labels: Labels, given: [Int32]
    ) -> (gradient: Matrix, labels: [Int32]) {
        let pool = model.pool
        var result = Matrix(rows: hidden.rows, columns: hidden.columns)
        var stacked: [Int32] = []
        for first in stride(from: 0, to: hidden.rows, by: FisherSweep.piece) {
            let rows = first..<min(first + FisherSweep.piece, hidden.rows)
            var logits = model.head(hidden.rows(rows))
            let labels =
                switch labels {
                case .given: Array(given[rows])
                case .sampled(let seed): pool.sample(logits, scale: 1, units: units(rows, seed: seed))
                }
            pool.logLikelihoodGradient(&logits, labels: labels)
            result.replaceRows(from: first, with: pool.product(logits, model.headMatrix, .plain))
            stacked += labels
        }
        return (result, stacked)
    }

    private func units(_ rows: Range<Int>, seed: UInt64) -> [Double] {
        rows.map { row in
            var generator = TokenSampler.generator(seed: seed, row: firstRow + row)
            return generator.unit()
        }
    }
}

extension ThreadPool {
    /// Turns each row of logits into the gradient of log p(label): onehot(label) - softmax(row).
    fileprivate func logLikelihoodGradient(_ logits: inout Matrix, labels: [Int32]) {
        let (rows, columns) = (logits.rows, logits.columns)
        logits.withMutablePointer { target in
            forEach(rows) { (row: Int) in
                fettle_log_likelihood_gradient(
                    instructionSet.cValue, target + row * columns, columns, Int(labels[row]))
            }
        }
    }
}
