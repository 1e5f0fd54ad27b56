import Compute
import Foundation
import ModelFiles
import Reference
import Testing

@Suite struct FisherSweepTests {
    /// Columns of each matrix in the stacked outputs of its group, for the shape of the fixture.
    private static let columns: [(part: String, group: LayerGroup, range: Range<Int>)] = [
        ("attn_q", .attentionInput, 0..<64), ("attn_k", .attentionInput, 64..<96),
        ("attn_v", .attentionInput, 96..<128),
        ("attn_output", .attentionOutput, 0..<64), ("ffn_gate", .feedForwardInput, 0..<72),
        ("ffn_up", .feedForwardInput, 72..<144), ("ffn_down", .down, 0..<64),
    ]

    @Test(arguments: GoldenFile.Kind.allCases) func outputGradientsAreAutograds(kind: GoldenFile.Kind) throws {
        let golden = try GoldenFile(kind.rawValue)
        let recorder = try record(kind)
        for site in recorder.sites {
            for (part, _, range) in Self.columns.filter({ $0.group == site.group }) {
                let expected = try golden.tensor("gradient.\(site.layer).\(part)")
                #expect(site.outputGradients.columns(range).distance(from: expected) < roundingTolerance, "\(part)")
            }
        }
        let embedding = try #require(recorder.embedding)
        #expect(embedding.distance(from: try golden.tensor("gradient.embedding")) < roundingTolerance)
    }

    /// dL/dW = gᵀ x.
    @Test(arguments: GoldenFile.Kind.allCases) func weightGradientsAreAutograds(kind: GoldenFile.Kind) throws {
        let golden = try GoldenFile(kind.rawValue)
        let recorder = try record(kind)
        for (layer, part) in [(0, "attn_q"), (1, "attn_k"), (0, "ffn_up"), (1, "ffn_down")] {
            let place = try #require(Self.columns.first { $0.part == part })
            let site = try #require(recorder.sites.first { $0.layer == layer && $0.group == place.group })
            let gradient = ThreadPool(threads: 1).product(
                site.outputGradients.columns(place.range), site.inputs, .transposedLeft)
            #expect(gradient.distance(from: try golden.tensor("weight.\(layer).\(part)")) < roundingTolerance)
        }
    }

    @Test func visitsEveryGroupFromLastToFirst() throws {
        let recorder = try record(.tied)
        let order: [LayerGroup] = [.down, .feedForwardInput, .attentionOutput, .attentionInput]
        #expect(recorder.sites.map(\.layer) == [1, 1, 1, 1, 0, 0, 0, 0])
        #expect(recorder.sites.map(\.group) == order + order)
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        #expect(try recorder.hidden == model.hidden(sequences: weights.sequences))
    }

    @Test func sampledLabelsFollowTheModelAndTheSeed() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        let sequence = [Int32](repeating: 5, count: 1)
        let sweep = try FisherSweep(model: model, sequences: [[Int32]](repeating: sequence, count: 4000))
        var recorder = Recorder()
        let labels = try sweep.run(labels: .sampled(seed: 1), visitor: &recorder)
        let logits = try model.logits(tokens: sequence, rows: 0..<1)
        var statistic = 0.0
        for target in Int32(0)..<96 {
            let expected = try 4000 * exp(model.pool.logProbabilities(of: [target], logits: logits)[0])
            let difference = Double(labels.count { $0 == target }) - expected
            statistic += difference * difference / expected
        }
        // Pearson's statistic over 96 tokens has mean 95 and standard deviation 14 where labels follow the model.
        #expect(statistic < 95 + 5 * 14)
        #expect(try sweep.run(labels: .sampled(seed: 1), visitor: &recorder) == labels)
        #expect(try sweep.run(labels: .sampled(seed: 2), visitor: &recorder) != labels)
    }

    @Test func labelsThatDoNotFitAreRefused() throws {
        let model = try GoldenFile("weights").model(GoldenFile.configuration(tied: true))
        let sweep = try FisherSweep(model: model, sequences: [[1, 2, 3]])
        var recorder = Recorder()
        #expect(throws: ReferenceError.self) { try sweep.run(labels: .given([[1, 2]]), visitor: &recorder) }
        #expect(throws: ReferenceError.self) { try sweep.run(labels: .given([[1, 2, 96]]), visitor: &recorder) }
        #expect(recorder.sites.isEmpty)
    }

    private func record(_ kind: GoldenFile.Kind) throws -> Recorder {
        let weights = try GoldenFile("weights")
        let model = try weights.model(kind.configuration)
        var recorder = Recorder()
        let sweep = try FisherSweep(model: model, sequences: weights.sequences)
        try sweep.run(labels: .given(weights.labels), visitor: &recorder)
        return recorder
    }
}
