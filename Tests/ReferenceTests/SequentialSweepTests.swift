import Compute
import ModelFiles
import Reference
import Testing

@Suite struct SequentialSweepTests {
    /// A product is added to the residual stream at once, not block by block, and taken off it again.
    private static let rounding: Float = 1e-6

    /// Left alone, it shows what a Fisher sweep shows, in the order of execution.
    @Test func showsTheModelsOwnInputs() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        var recorder = Recorder()
        try FisherSweep(model: model, sequences: weights.sequences)
            .run(labels: .sampled(seed: 1), visitor: &recorder)
        var visitor = Products(pool: model.pool) { try weights.tensor(TensorName.layer($0, $1)) }
        try SequentialSweep(model: model, sequences: weights.sequences).run(
            embedding: nil, isAimed: true, visitor: &visitor)
        #expect(visitor.sites.map(\.layer) == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(visitor.sites.map(\.group) == LayerGroup.allCases + LayerGroup.allCases)
        for site in visitor.sites {
            let other = try #require(recorder.sites.first { $0.layer == site.layer && $0.group == site.group })
            #expect(site.inputs.distance(from: other.inputs) < Self.rounding)
            switch try #require(site.aim) {
            case .inputs(let source): #expect(source == other.inputs)
            case .outputs(let outputs):
                let part = site.group == .down ? TensorName.Part.down : .attentionOutput
                let own = model.pool.product(
                    site.inputs, try weights.tensor(TensorName.layer(site.layer, part)), .transposedRight)
                #expect(outputs.distance(from: own) < Self.rounding)
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
        let embedding = Matrix(
            rows: model.configuration.vocabulary, columns: model.configuration.width,
            values: (0..<model.configuration.vocabulary * model.configuration.width).map { Float($0 % 7) - 3 })
        let replaced = try model.replacing([
            TensorName.layer(0, .down): zeros, TensorName.embedding: embedding,
        ])
        var visitor = Products(pool: model.pool) { layer, part in
            layer == 0 && part == .down ? zeros : try weights.tensor(TensorName.layer(layer, part))
        }
        try SequentialSweep(model: model, sequences: weights.sequences).run(
            embedding: embedding, isAimed: true, visitor: &visitor)
        var recorder = Recorder()
        try FisherSweep(model: replaced, sequences: weights.sequences)
            .run(labels: .sampled(seed: 1), visitor: &recorder)
        var own = Recorder()
        try FisherSweep(model: model, sequences: weights.sequences).run(labels: .sampled(seed: 1), visitor: &own)
        for site in visitor.sites {
            let other = try #require(recorder.sites.first { $0.layer == site.layer && $0.group == site.group })
            #expect(site.inputs.distance(from: other.inputs) < Self.rounding, "layer \(site.layer), \(site.group)")
            let source = try #require(own.sites.first { $0.layer == site.layer && $0.group == site.group })
            guard case .inputs(let aim) = try #require(site.aim) else { continue }
            #expect(aim == source.inputs, "layer \(site.layer), \(site.group)")
        }
    }
}

/// Keeps the inputs that a sequential sweep shows, and multiplies with the weights that it is given.
private struct Products: SequentialVisitor {
    let pool: ThreadPool
    let weights: (_ layer: Int, _ part: TensorName.Part) throws -> Matrix
    var sites: [(layer: Int, group: LayerGroup, inputs: Matrix, aim: SequentialAim?)] = []

    init(pool: ThreadPool, weights: @escaping (_ layer: Int, _ part: TensorName.Part) throws -> Matrix) {
        self.pool = pool
        self.weights = weights
    }

    mutating func visit(
        layer: Int, group: LayerGroup, inputs: Matrix, aim: SequentialAim?, into outputs: inout Matrix
    ) throws {
        sites.append((layer, group, inputs, aim))
        var column = 0
        for part in group.parts {
            let product = pool.product(inputs, try weights(layer, part), .transposedRight)
            for row in 0..<product.rows {
                let first = row * outputs.columns + column
                outputs.values.replaceSubrange(first..<first + product.columns, with: product[row: row])
            }
            column += product.columns
        }
        #expect(column == outputs.columns)
    }
}
