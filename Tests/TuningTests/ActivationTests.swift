import Compute
import DeviceProfiles
import Foundation
import ModelFiles
import Quantization
import Testing
import Tuning

/// Kinds of input in whole runs on the fixture model.
@Suite struct ActivationTests {
    /// 8 bits with frozen ranges stay near the source; a range that is off by a factor, or taken with the first token, costs
    /// tenths of a nat.
    @Test func frozenRangesAreNearDynamicOnes() throws {
        let frozen = try Bard.uniform("u8c/static", head: nil)
        let dynamic = try Bard.uniform("u8c/int8", head: nil)
        #expect(frozen.quality.kl < 0.02 && frozen.quality.kl > dynamic.quality.kl, "\(frozen.quality.kl)")
        for group in frozen.plan.groups {
            // gptq sees the frozen ranges, and helps.
            let expected = group.name == "token_embd" ? "clip" : "clip+smooth+gptq"
            #expect(group.choice.refinement == expected, "\(group.name)")
            for tensor in group.tensors { #expect(frozen.weights.frozenScales[tensor] ?? 0 > 0) }
        }
        #expect(dynamic.weights.frozenScales.isEmpty)
    }

    /// Inputs of 16 bits with one scale for each token lose nothing that matters beside those of 8, in the score as in the run.
    @Test func sixteenBitsOfInputLoseNothing() throws {
        let wide = try Bard.uniform("u8c/int16", head: nil)
        let narrow = try Bard.uniform("u8c/int8", head: nil)
        let float = try Bard.uniform("u8c/float", head: nil)
        #expect(wide.quality.kl < narrow.quality.kl / 2, "\(wide.quality.kl), \(narrow.quality.kl)")
        #expect(abs(wide.quality.kl / float.quality.kl - 1) < 0.05, "\(wide.quality.kl), \(float.quality.kl)")
        #expect(wide.plan.predictedKL < narrow.plan.predictedKL)
    }

    /// Channels of uneven scale, as training leaves them: one scale for all ruins the small ones, and smoothing moves them into
    /// the weights.
    @Test func smoothingEvensChannels() throws {
        let uneven = try Bard.uneven(octaves: 4)
        let plain = try Bard.uniform("u8c/static+clip", head: nil, model: uneven)
        let smooth = try Bard.uniform("u8c/static+clip+smooth", head: nil, model: uneven)
        #expect(smooth.quality.kl < plain.quality.kl / 2, "\(smooth.quality.kl), \(plain.quality.kl)")
    }

    /// Another way to find ranges gives other ranges, and its scores are not taken for the usual ones.
    @Test func observersAreKeptApart() throws {
        let store = try ScoreStore(path: nil)
        let usual = try Bard.uniform("u8c/static+clip", head: nil, store: store)
        let widest = try Bard.uniform("u8c/static+clip", head: nil, observer: .minMax, store: store)
        let again = try Bard.uniform("u8c/static+clip", head: nil, store: store)
        #expect(usual.weights.frozenScales == again.weights.frozenScales)
        for (tensor, scale) in usual.weights.frozenScales {
            #expect(scale <= widest.weights.frozenScales[tensor] ?? 0, "\(tensor)")
        }
        #expect(usual.weights.frozenScales != widest.weights.frozenScales)
    }
}
