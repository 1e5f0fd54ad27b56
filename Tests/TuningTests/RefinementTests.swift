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

    /// Where there is a choice it is made by scores of refined weights, which the store keeps: for every group and choice, less than
    /// unrefined, but for a head in 8 bits, which is left as it is.
    @Test func plansWithRefinedScores() throws {
        let store = try ScoreStore(path: nil)
        let profile = Bard.profile(memory: MemoryLimits(storage: 1_400_000))
        var options = try Bard.options(["u8g64", "a4g32", "u4g64", "k4g64", "k4c", "k3g64"])
        options.schedule = TuningSchedule(calibrationSequences: 12, evaluationChunks: 4, context: 128)
        var steps = 0
        let refined = try Bard.tune([profile], options, store: store, steps: &steps)[0]
        func kept() throws -> [ScoreStore.Entry] {
            try store.contents().entries.filter { $0.context.contains(" refinement=") }
        }
        #expect(refined.plan.groups.contains { $0.choice.refinement.hasSuffix("+gptq") })
        #expect(try kept().map(\.scores) == [6 * refined.plan.groups.count])
        #expect(refined.certificate.gap < 1e-3)

        // The same plan's scores without: those of its layers are larger by what refinement gains.
        options.refines = false
        options.only = try ["u8g64", "a4g32", "u4g64", "k4g64", "k4c", "k3g64"].map {
            try .init(parsing: "\($0)+clip+awq")
        }
        let plain = try Bard.tune([profile], options, store: store, steps: &steps)[0]
        #expect(steps == 0)
        var compared = 0
        for (own, other) in zip(refined.plan.groups, plain.plan.groups) where own.choice.spec == other.choice.spec {
            let share = own.sensitivity / other.sensitivity
            if own.name == "token_embd", own.choice.format.bits == 8 {
                #expect(share == 1)
            } else {
                #expect((0.2...0.95).contains(share), "\(own.name) \(own.choice.name): \(share)")
            }
            compared += 1
        }
        #expect(compared >= 3)
        #expect(refined.quality.kl < plain.quality.kl)

        // A second time nothing is measured.
        let before = try store.contents().digest
        options.refines = true
        options.only = try ["u8g64", "a4g32", "u4g64", "k4g64", "k4c", "k3g64"].map { try .init(parsing: $0) }
        let again = try Bard.tune([profile], options, store: store, steps: &steps)[0]
        #expect(again.plan == refined.plan)
        #expect(try store.contents().digest == before)
    }

    private func run(_ spec: String, head: String? = "u8g32") throws -> TuningResult {
        try Bard.uniform(spec, head: head, sequences: 12)
    }
}
