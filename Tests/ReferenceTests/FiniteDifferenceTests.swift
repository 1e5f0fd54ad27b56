import Compute
import ModelFiles
import Reference
import Testing

/// Gradients of weights against differences of L itself, in a shape with grouped queries, ragged sides and an untied
/// head that the golden values do not have.
@Suite struct FiniteDifferenceTests {
    private static let configuration = ModelConfiguration(
        architecture: .llama, vocabulary: 37, width: 24, feedForward: 20, layers: 2, heads: 6, keyValueHeads: 2,
        headWidth: 10, context: 64, normEpsilon: 1e-6, rotaryBase: 500, rotaryPairing: .halves, tiedEmbedding: false)

    @Test(arguments: [
        ("blk.0.attn_q.weight", LayerGroup.attentionInput, 0), ("blk.1.attn_k.weight", .attentionInput, 60),
        ("blk.0.attn_v.weight", .attentionInput, 80), ("blk.1.attn_output.weight", .attentionOutput, 0),
        ("blk.0.ffn_gate.weight", .feedForwardInput, 0), ("blk.1.ffn_up.weight", .feedForwardInput, 20),
        ("blk.0.ffn_down.weight", .down, 0),
    ]) func weightGradientsAreSlopes(name: String, group: LayerGroup, firstColumn: Int) throws {
        var generator = SeededGenerator(seed: 11)
        var weights: [String: Matrix] = [:]
        for name in TensorName.all(of: Self.configuration) {
            let shape = try #require(TensorName.shape(of: name, in: Self.configuration))
            weights[name] = .random(
                rows: shape.rows, columns: shape.columns, scale: shape.rows == 1 ? 1 : 0.35, using: &generator)
        }
        let model = try ReferenceModel(configuration: Self.configuration, pool: ThreadPool(threads: 2)) {
            try #require(weights[$0])
        }
        func tokens(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32(generator.next() % 37) } }
        let (sequences, labels) = ([tokens(9), tokens(4)], [tokens(9), tokens(4)])

        var recorder = Recorder()
        try FisherSweep(model: model, sequences: sequences).run(labels: .given(labels), visitor: &recorder)
        let weight = try #require(weights[name])
        let layer = name.hasPrefix("blk.0") ? 0 : 1
        let site = try #require(recorder.sites.first { $0.layer == layer && $0.group == group })
        let gradient = model.pool.product(
            site.outputGradients.columns(firstColumn..<firstColumn + weight.rows), site.inputs, .transposedLeft)

        func likelihood(_ step: Float, _ direction: Matrix) throws -> Double {
            let moved = zip(weight.values, direction.values).map { $0 + step * $1 }
            let changed = try model.replacing(
                [name: Matrix(rows: weight.rows, columns: weight.columns, values: moved)])
            let logits = changed.head(try changed.hidden(sequences: sequences))
            return try model.pool.logProbabilities(of: labels.flatMap(\.self), logits: logits).reduce(0, +)
        }
        let direction = Matrix.random(rows: weight.rows, columns: weight.columns, using: &generator)
        let step: Float = 1e-3
        let slope = try (likelihood(step, direction) - likelihood(-step, direction)) / Double(2 * step)
        let predicted = zip(gradient.values, direction.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let size = zip(gradient.values, direction.values).reduce(0.0) { $0 + abs(Double($1.0 * $1.1)) }
        // L of about 40 carries 1e-5 of rounding, 5e-3 after division by the step; the third derivative adds step^2.
        #expect(abs(slope - predicted) < 5e-3 + 1e-3 * size, "\(slope) \(predicted) \(size)")
        #expect(size > 1)
    }
}
