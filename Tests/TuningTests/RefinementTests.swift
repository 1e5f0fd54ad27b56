import DeviceProfiles
import Quantization
import Testing
import Tuning

/// Refinement `gptq` in whole runs on the fixture model.
@Suite struct RefinementTests {
    /// Named in a SPEC it is applied to every matrix but the embedding, whose rows are read one by one, and what ships is
    /// nearer to the source on text that the calibration has not seen.
    @Test(arguments: ["a3g32", "k3g64", "u4c"]) func comesNearerOnUnseenText(format: String) throws {
        let plain = try run("\(format)+clip")
        let refined = try run("\(format)+clip+gptq")
        #expect(refined.quality.kl < 0.85 * plain.quality.kl, "\(refined.quality.kl), \(plain.quality.kl)")
        #expect(refined.quality.textDigest == plain.quality.textDigest)
        for group in refined.plan.groups {
            let isEmbedding = group.name == "token_embd"
            #expect(group.choice.refinement == (isEmbedding ? "clip" : "clip+gptq"), "\(group.name)")
        }
        #expect(plain.plan.groups.allSatisfy { $0.choice.refinement == "clip" })
        #expect(refined.totals.stored == plain.totals.stored)
    }

    /// Left open it is tried, and named where it ships.
    @Test func isTriedWhereItIsOpen() throws {
        let open = try run("a3g32")
        #expect(open.stages.contains { $0.name == "refine" })
        let refined = open.plan.groups.filter { $0.choice.refinement == "clip+awq+gptq" }
        #expect(!refined.isEmpty && refined.allSatisfy { $0.why.contains("clip+awq+gptq: refining all takes") })
        #expect(try open.quality.kl == run("a3g32+clip+awq+gptq").quality.kl)
    }

    private func run(_ spec: String) throws -> TuningResult { try Bard.uniform(spec, sequences: 12) }
}
