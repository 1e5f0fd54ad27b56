import Compute
import ModelFiles
import Reference
import Testing

@Suite struct SequentialSweepTests {
    /// Left alone, it shows what a Fisher sweep shows, in the order of execution.
    @Test func showsTheModelsOwnInputs() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        var recorder = Recorder()
        try FisherSweep(model: model, sequences: weights.sequences)
            .run(labels: .sampled(seed: 1), visitor: &recorder)
        var visitor = Replacement { _, _ in [:] }
        try SequentialSweep(model: model, sequences: weights.sequences).run(
            embedding: nil, isAimed: true, visitor: &visitor)
        #expect(visitor.sites.map(\.layer) == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(visitor.sites.map(\.group) == LayerGroup.allCases + LayerGroup.allCases)
        for site in visitor.sites {
            let other = try #require(recorder.sites.first { $0.layer == site.layer && $0.group == site.group })
            #expect(site.inputs == other.inputs)
            switch try #require(site.aim) {
            case .inputs(let source): #expect(source == site.inputs)
            case .outputs(let outputs):
                let part = site.group == .down ? TensorName.Part.down : .attentionOutput
                let own = model.pool.product(
                    site.inputs, try weights.tensor(TensorName.layer(site.layer, part)), .transposedRight)
                // A sum of the residual stream, taken apart again.
                #expect(outputs.distance(from: own) < 1e-4)
            }
        }
    }

    /// Each group gets the inputs of a model that has all weights replaced before it, and none after it; and beside them those
    /// that the source has.
    @Test func laterGroupsSeeWhatWasReplacedBefore() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        let shape = try #require(TensorName.shape(of: TensorName.layer(0, .down), in: model.configuration))
        let zeros = Matrix(rows: shape.rows, columns: shape.columns)
        var visitor = Replacement { layer, group in layer == 0 && group == .down ? [.down: zeros] : [:] }
        let embedding = Matrix(
            rows: model.configuration.vocabulary, columns: model.configuration.width,
            values: (0..<model.configuration.vocabulary * model.configuration.width).map { Float($0 % 7) - 3 })
        try SequentialSweep(model: model, sequences: weights.sequences).run(
            embedding: embedding, isAimed: true, visitor: &visitor)
        let replaced = try model.replacing([
            TensorName.layer(0, .down): zeros, TensorName.embedding: embedding,
        ])
        var recorder = Recorder()
        try FisherSweep(model: replaced, sequences: weights.sequences)
            .run(labels: .sampled(seed: 1), visitor: &recorder)
        var own = Recorder()
        try FisherSweep(model: model, sequences: weights.sequences).run(labels: .sampled(seed: 1), visitor: &own)
        for site in visitor.sites {
            let other = try #require(recorder.sites.first { $0.layer == site.layer && $0.group == site.group })
            #expect(site.inputs == other.inputs, "layer \(site.layer), \(site.group)")
            let source = try #require(own.sites.first { $0.layer == site.layer && $0.group == site.group })
            guard case .inputs(let aim) = try #require(site.aim) else { continue }
            #expect(aim == source.inputs, "layer \(site.layer), \(site.group)")
        }
    }
}

/// Keeps the inputs that a sequential sweep shows, and replaces what it is told to.
private struct Replacement: SequentialVisitor {
    let weights: (_ layer: Int, _ group: LayerGroup) -> [TensorName.Part: Matrix]
    var sites: [(layer: Int, group: LayerGroup, inputs: Matrix, aim: SequentialAim?)] = []

    init(_ weights: @escaping (_ layer: Int, _ group: LayerGroup) -> [TensorName.Part: Matrix]) {
        self.weights = weights
    }

    mutating func visit(
        layer: Int, group: LayerGroup, inputs: Matrix, aim: SequentialAim?
    ) -> [TensorName.Part: Matrix] {
        sites.append((layer, group, inputs, aim))
        return weights(layer, group)
    }
}
