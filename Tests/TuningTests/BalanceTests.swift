import Compute
import DeviceProfiles
import ModelFiles
import Quantization
import Testing
import Tuning

/// Refinement `awq` in whole runs on the fixture model.
@Suite struct BalanceTests {
    /// Coarse formats lose less on text that the calibration has not seen, in the same bytes; and the norms carry the factors.
    /// The fixture's channels are nearly alike, so that there is little to gain; doing nothing would leave the very same KL.
    @Test(arguments: ["u3g32", "a3g64"]) func coarseFormatsLoseLess(format: String) throws {
        let plain = try run("\(format)+clip")
        let balanced = try run("\(format)+clip+awq")
        #expect(balanced.quality.kl < 0.98 * plain.quality.kl, "\(balanced.quality.kl), \(plain.quality.kl)")
        #expect(balanced.totals.stored == plain.totals.stored)
        for group in balanced.plan.groups {
            #expect(group.choice.refinement == (group.name == "token_embd" ? "clip" : "clip+awq"), "\(group.name)")
        }
        let source = try Bard.model()
        let moved = try plain.weights.norms.filter { name, values in
            #expect(try values == source.tensor(name).matrix().values)
            return balanced.weights.norms[name] != values
        }
        #expect(!moved.isEmpty && moved[TensorName.outputNorm] == nil)
    }

    /// The function is the same: at 8 bits the balanced model is as near to the source as the plain one.
    @Test func theFunctionStays() throws {
        let plain = try run("u8g32+clip")
        let balanced = try run("u8g32+clip+awq")
        #expect(balanced.quality.kl < 1.1 * plain.quality.kl + 1e-5, "\(balanced.quality.kl), \(plain.quality.kl)")
    }

    /// The factors come from the store the second time.
    @Test func isFoundOnce() throws {
        let store = try ScoreStore(path: nil)
        let first = try run("u4g32+clip+awq", store: store)
        let second = try run("u4g32+clip+awq", store: store)
        #expect(first.quality.kl == second.quality.kl)
        #expect(first.plan.groups.map(\.sensitivity) == second.plan.groups.map(\.sensitivity))
    }

    private func run(_ spec: String, store: ScoreStore? = nil) throws -> TuningResult {
        var options = TuningOptions()
        options.uniform = try Spec(parsing: spec)
        options.head = try Format(parsing: "u8g32")
        options.seed = 3
        options.schedule = TuningSchedule(calibrationSequences: 8, evaluationChunks: 4, context: 128)
        var steps = 0
        let store = try store ?? ScoreStore(path: nil)
        return try Bard.tune([Bard.profile(memory: MemoryLimits())], options, store: store, steps: &steps)[0]
    }
}
