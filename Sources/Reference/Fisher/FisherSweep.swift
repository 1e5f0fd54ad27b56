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
    ///
    /// `memory` keeps the place for as long as the sweep is not done: one that begins with it goes on there. It must be of the
    /// same model, sequences and labels. Labels that were not needed again are not returned.
    @discardableResult
    package func run(
        labels: Labels, visitor: inout some FisherVisitor, memory: (any SweepMemory)? = nil
    ) throws -> [Int32] {
        var place = SweepPlace(memory: memory, rows: batch.tokens.count, columns: model.configuration.width)
        let result: [Int32]
        do {
            result = try run(labels: labels, visitor: &visitor, from: &place)
        } catch is SweepPlace.Damaged {
            place = SweepPlace(memory: nil, rows: place.rows, columns: place.columns)
            result = try run(labels: labels, visitor: &visitor, from: &place)
        }
        SweepPlace(memory: memory, rows: place.rows, columns: place.columns).forget(layers: model.layers.count)
        return result
    }

    private func run(
        labels: Labels, visitor: inout some FisherVisitor, from place: inout SweepPlace
    ) throws -> [Int32] {
        let given = try check(labels)
        let layers = model.layers.count
        let rotary = RotaryTable(positions: batch.longest, configuration: model.configuration)
        var activations = LayerActivations(rows: batch.tokens.count, configuration: model.configuration)
        try goForward(to: &place, &activations, rotary)

        let hidden = model.finalNorm(try place.residual(layers))
        try visitor.visitHead(hidden: hidden)
        var first = layers
        for layer in (0..<layers).reversed() {
            if visitor.needs(layer: layer) { break }
            if place.containsGradient(layer) { first = layer }
        }
        var gradient: Matrix
        var drawn: [Int32] = []
        if place.containsGradient(first) {
            gradient = try place.gradient(first)
        } else {
            let hiddenGradient: Matrix
            (hiddenGradient, drawn) = propagateThroughHead(hidden, labels: labels, given: given)
            gradient = Matrix(rows: hidden.rows, columns: hidden.columns)
            model.pool.rmsNormBackward(
                try place.takeResidual(layers), weight: model.outputNorm, epsilon: model.configuration.normEpsilon,
                yGradient: hiddenGradient, addingTo: &gradient)
            place.keep(gradient: gradient, of: layers, layers: layers)
        }

        var gradients = LayerGradients(rows: batch.tokens.count, configuration: model.configuration)
        for (index, layer) in model.layers.enumerated().prefix(first).reversed() {
            let residual = try place.takeResidual(index)
            activations.compute(layer, residual: residual, batch: batch, rotary: rotary, pool: model.pool)
            try gradients.propagate(
                &gradient, through: layer, activations: activations, residual: residual, batch: batch, rotary: rotary,
                pool: model.pool
            ) { group, inputs, outputGradients in
                try visitor.visit(layer: index, group: group, inputs: inputs, outputGradients: outputGradients)
            }
            place.keep(gradient: gradient, of: index, layers: layers)
        }
        try visitor.visitEmbedding(outputGradients: gradient)
        return drawn
    }

    /// The forward pass, from the last layer whose input is kept.
    private func goForward(
        to place: inout SweepPlace, _ activations: inout LayerActivations, _ rotary: RotaryTable
    ) throws {
        let layers = model.layers.count
        let start: Int
        if let last = place.lastResidual(upTo: layers) {
            start = last
        } else {
            start = 0
            place.keep(residual: model.embed(batch.tokens), of: 0)
        }
        guard start < layers else { return }
        var residual = try place.residual(start)
        for index in start..<layers {
            activations.compute(
                model.layers[index], residual: residual, batch: batch, rotary: rotary, pool: model.pool)
            activations.addFeedForward(model.layers[index], to: &residual, pool: model.pool)
            place.keep(residual: residual, of: index + 1)
        }
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
