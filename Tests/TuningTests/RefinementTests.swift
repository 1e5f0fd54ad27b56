import DeviceProfiles
import Quantization
import Testing
import Tuning

/// Refinement `gptq` in whole runs on the fixture model.
@Suite struct RefinementTests {
    /// Named in a SPEC it is applied to every matrix, but not to a head whose format is given beside it, and what ships is nearer to
    /// the source on text that the calibration has not seen.
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

    /// The head is refined too, with the embedding that it is here: in 3 bits, beside layers in 8, it is nearly all that is lost.
    @Test func bringsTheHeadNearer() throws {
        let plain = try run("u8g32+clip", head: "u3g64")
        let refined = try run("u8g32", head: "u3g64")
        #expect(refined.quality.kl < 0.85 * plain.quality.kl, "\(refined.quality.kl), \(plain.quality.kl)")
        #expect(refined.plan.groups.first { $0.name == "token_embd" }?.choice.refinement == "clip+gptq")
        #expect(refined.totals.stored == plain.totals.stored)
    }

    /// Left open it is tried, and named where it ships.
    @Test func isTriedWhereItIsOpen() throws {
        let open = try run("a3g32", head: nil)
        #expect(open.stages.contains { $0.name == "refine" })
        let refined = open.plan.groups.filter { $0.choice.refinement.hasSuffix("+gptq") }
        #expect(refined.count == open.plan.groups.count)
        #expect(refined.allSatisfy { $0.why.contains("\($0.choice.refinement): refining all takes") })
        let named = try run("a3g32+clip+awq+gptq", head: nil)
        #expect(open.quality.kl == named.quality.kl)
    }

    private func run(_ spec: String, head: String? = "u8g32") throws -> TuningResult {
        try Bard.uniform(spec, head: head, sequences: 12)
    }
}
