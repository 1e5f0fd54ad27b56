import Compute
import DeviceProfiles
import Foundation
import ModelFiles
import Quantization
import Testing
import Tuning

/// Static inputs in whole runs on the fixture model.
@Suite struct StaticTests {
    /// 8 bits with frozen ranges stay near the source; a range that is off by a factor, or taken with the first token, costs
    /// tenths of a nat.
    @Test func frozenRangesAreNearDynamicOnes() throws {
        let frozen = try run("u8c/static")
        let dynamic = try run("u8c/int8")
        #expect(frozen.quality.kl < 0.02 && frozen.quality.kl > dynamic.quality.kl, "\(frozen.quality.kl)")
        for group in frozen.plan.groups {
            #expect(group.choice.refinement == (group.name == "token_embd" ? "clip" : "clip+smooth"), "\(group.name)")
            for tensor in group.tensors { #expect(frozen.weights.frozenScales[tensor] ?? 0 > 0) }
        }
        #expect(dynamic.weights.frozenScales.isEmpty)
    }

    /// Channels of uneven scale, as training leaves them: one scale for all ruins the small ones, and smoothing moves them into
    /// the weights.
    @Test func smoothingEvensChannels() throws {
        let source = try Bard.model()
        var scalings: [String: ChannelScaling] = [:]
        for layer in 0..<source.configuration.layers {
            let factors = (0..<source.configuration.width).map { exp2(Float($0 * 7 % 9) - 4) }
            for part in [TensorName.Part.query, .key, .value, .gate, .up] {
                scalings[TensorName.layer(layer, part)] = ChannelScaling(columns: factors)
            }
            for part in [TensorName.Part.attentionNorm, .feedForwardNorm] {
                scalings[TensorName.layer(layer, part)] = ChannelScaling(columns: factors.map { 1 / $0 })
            }
        }
        let uneven = try source.scaling(scalings, digest: "uneven")
        let plain = try run("u8c/static+clip", model: uneven)
        let smooth = try run("u8c/static+clip+smooth", model: uneven)
        #expect(smooth.quality.kl < plain.quality.kl / 2, "\(smooth.quality.kl), \(plain.quality.kl)")
    }

    /// Another way to find ranges gives other ranges, and its scores are not taken for the usual ones.
    @Test func observersAreKeptApart() throws {
        let store = try ScoreStore(path: nil)
        let usual = try run("u8c/static+clip", store: store)
        let widest = try run("u8c/static+clip", observer: .minMax, store: store)
        let again = try run("u8c/static+clip", store: store)
        #expect(usual.weights.frozenScales == again.weights.frozenScales)
        for (tensor, scale) in usual.weights.frozenScales {
            #expect(scale <= widest.weights.frozenScales[tensor] ?? 0, "\(tensor)")
        }
        #expect(usual.weights.frozenScales != widest.weights.frozenScales)
    }

    private func run(
        _ spec: String, model: Model? = nil, observer: RangeObserver = .mse, store: ScoreStore? = nil
    ) throws -> TuningResult {
        var options = TuningOptions()
        options.uniform = try Spec(parsing: spec)
        options.observer = observer
        options.seed = 3
        options.schedule = TuningSchedule(calibrationSequences: 8, evaluationChunks: 4, context: 128)
        let store = try store ?? ScoreStore(path: nil)
        let tuner = Tuner(options: options, store: store, pool: ThreadPool(threads: 2), progress: { _ in })
        return try tuner.tune(
            model: try model ?? Bard.model(), profiles: [Bard.profile(memory: MemoryLimits())])[0]
    }
}
