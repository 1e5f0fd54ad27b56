import Compute
import DeviceProfiles
import Foundation
import ModelFiles
import Quantization
import Testing
import Tuning

/// Refinement `awq` in whole runs on the fixture model.
@Suite struct BalanceTests {
    /// Coarse formats lose less on text that the calibration has not seen, in the same bytes. The
    /// fixture's channels are nearly alike, so that there is little to gain; doing nothing would leave the very same KL.
    @Test(arguments: ["u3g32", "a3g64"]) func coarseFormatsLoseLess(format: String) throws {
        let plain = try Bard.uniform("\(format)+clip")
        let balanced = try Bard.uniform("\(format)+clip+awq")
        #expect(balanced.quality.kl < 0.98 * plain.quality.kl, "\(balanced.quality.kl), \(plain.quality.kl)")
        #expect(balanced.totals.stored == plain.totals.stored)
        for group in balanced.plan.groups {
            #expect(group.choice.refinement == (group.name == "token_embd" ? "clip" : "clip+awq"), "\(group.name)")
        }
    }

    /// The function is the same: at 8 bits the balanced model is as near to the source as the plain one.
    @Test func theFunctionStays() throws {
        let plain = try Bard.uniform("u8g32+clip")
        let balanced = try Bard.uniform("u8g32+clip+awq")
        #expect(balanced.quality.kl < 1.1 * plain.quality.kl + 1e-5, "\(balanced.quality.kl), \(plain.quality.kl)")
    }

    /// The same function with channels of uneven scale, as training may leave them: rounding as it is loses far more, balanced
    /// as little as before; the norms carry the factors, but for the last one, which no layer reads.
    @Test func theScalesOfTheSourceDoNotMatter() throws {
        let uneven = try Bard.uneven(octaves: 2)
        let plain = try Bard.uniform("u4g32+clip", model: uneven)
        let balanced = try Bard.uniform("u4g32+clip+awq", model: uneven)
        let even = try Bard.uniform("u4g32+clip+awq")
        #expect(plain.quality.kl > 1.5 * balanced.quality.kl, "\(plain.quality.kl), \(balanced.quality.kl)")
        #expect(balanced.quality.kl < 1.15 * even.quality.kl, "\(balanced.quality.kl), \(even.quality.kl)")
        let name = TensorName.layer(0, .feedForwardNorm)
        #expect(balanced.weights.norms[name] != plain.weights.norms[name])
        #expect(balanced.weights.norms[TensorName.outputNorm] == plain.weights.norms[TensorName.outputNorm])
    }

    /// A run that was stopped in the middle finds the factors of the other half only, and comes to the same.
    @Test func goesOnWhereItStopped() throws {
        func run(_ store: ScoreStore, stopping: Bool) throws -> (found: Int, kl: Double) {
            var options = TuningOptions()
            options.uniform = try Spec(parsing: "u4g32+clip+awq")
            options.schedule = TuningSchedule(calibrationSequences: 4, evaluationChunks: 2, context: 128)
            var found = 0
            var isStopped = false
            let tuner = Tuner(
                options: options, store: store, pool: ThreadPool(threads: 2), isCancelled: { isStopped }
            ) { progress in
                guard progress.stage == "balance", progress.fraction > 0, progress.fraction < 1 else { return }
                found += 1
                isStopped = stopping && progress.fraction > 0.5
            }
            let profiles = [Bard.profile(memory: MemoryLimits())]
            let kl = try tuner.tune(model: try Bard.model(), profiles: profiles)[0].quality.kl
            return (found, kl)
        }
        let whole = try run(ScoreStore(path: nil), stopping: false)
        let store = try ScoreStore(path: nil)
        let error = #expect(throws: TuningError.self) { try run(store, stopping: true) }
        #expect(error?.code == .cancelled)
        let rest = try run(store, stopping: false)
        #expect(rest.found > 0 && rest.found <= whole.found / 2, "\(rest.found) of \(whole.found)")
        #expect(rest.kl == whole.kl)
    }

    /// The factors come from the store the second time.
    @Test func isFoundOnce() throws {
        let store = try ScoreStore(path: nil)
        let first = try Bard.uniform("u4g32+clip+awq", store: store)
        let second = try Bard.uniform("u4g32+clip+awq", store: store)
        #expect(first.quality.kl == second.quality.kl)
        #expect(first.plan.groups.map(\.sensitivity) == second.plan.groups.map(\.sensitivity))
    }
}
