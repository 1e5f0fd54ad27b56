import Compute
import DeviceProfiles
import Foundation
import ModelFiles
import Quantization
import Synchronization
import Testing
import Tuning

/// Whole runs on the fixture model.
struct TunerTests {
    @Test(arguments: [TargetRuntime.fettle, .llamaCpp])
    func keepsEveryBudgetAndPredictsWhatIsMeasured(runtime: TargetRuntime) throws {
        let formats = runtime == .fettle ? Bard.formats : ["q8_0", "q6_k", "q5_1", "q4_1", "iq4_nl", "q3_k"]
        let model = try Bard.model()
        let store = try ScoreStore(path: nil)
        let profiles = [1_350_000, 1_600_000, 2_000_001].map {
            Bard.profile(runtime, memory: MemoryLimits(storage: $0))
        }
        var steps = 0
        let results = try Bard.tune(profiles, try Bard.options(formats), store: store, steps: &steps)
        #expect(steps > 0)
        for (profile, result) in zip(profiles, results) {
            let specs = Dictionary(
                result.plan.groups.flatMap { group in group.tensors.map { ($0, group.choice.spec) } },
                uniquingKeysWith: { first, _ in first })
            let stored = try WeightsFileLayout(model: model, specs: specs, runtime: runtime).storedBytes
            let limit = try #require(profile.memory.storage)
            #expect(stored <= limit)
            #expect(result.totals.stored == Double(stored))
            #expect(Double(stored) > 0.93 * Double(limit), "a plan should use what it may")
            let verdict = try #require(result.verdicts.first { $0.constraint == "memory.storage" })
            #expect(verdict.met && verdict.predicted == Double(stored))
            // Cross terms are dropped and the text is short: a factor of two is what the design promises.
            #expect(result.quality.kl / result.plan.predictedKL < 2)
            #expect(result.quality.kl / result.plan.predictedKL > 0.5)
            if let uniform = result.uniform { #expect(result.quality.kl <= uniform.kl) }
            #expect(result.certificate.gap < 1e-3)
            #expect(result.weights.matrices.count == 1 + 7 * model.configuration.layers)
            #expect(result.weights.norms.count == 1 + 2 * model.configuration.layers)
        }
        #expect(zip(results, results.dropFirst()).allSatisfy { $0.plan.predictedKL > $1.plan.predictedKL })
    }

    @Test func measuresNothingTwice() throws {
        let store = try ScoreStore(path: nil)
        let options = try Bard.options(["u8g64", "u4g64"])
        let profile = Bard.profile(memory: MemoryLimits(storage: 1_900_000))
        var first = 0
        var second = 0
        let before = try Bard.tune([profile], options, store: store, steps: &first)
        var other = profile
        other.memory.storage = 2_100_000
        let after = try Bard.tune([profile, other], options, store: store, steps: &second)
        #expect(first > 0)
        #expect(second == 0)
        #expect(before[0].plan == after[0].plan)
        #expect(before[0].quality == after[0].quality)
        #expect(after[0].plan != after[1].plan)
    }

    @Test func codedFormatsNeedNoSweepWhereTheirRelativeIsKnown() throws {
        let store = try ScoreStore(path: nil)
        let profile = Bard.profile(memory: MemoryLimits(storage: 1_900_000))
        var steps = 0
        _ = try Bard.tune([profile], try Bard.options(["u8g64", "k4c"]), store: store, steps: &steps)
        let known = try Bard.options(["u8g64", "k5ce40", "k4ce30"])
        let result = try Bard.tune([profile], known, store: store, steps: &steps)[0]
        #expect(steps == 0)
        let fresh = try Bard.tune([profile], known, store: try ScoreStore(path: nil), steps: &steps)[0]
        #expect(steps > 0)
        #expect(result.plan == fresh.plan)
        #expect(result.plan.groups.contains { $0.choice.format.isCoded })
    }

    @Test func isTheSameOnOneThreadAndOnTwo() throws {
        let options = try Bard.options(["u8g64", "k4g64", "a3g32"])
        let profile = Bard.profile(memory: MemoryLimits(budget: 2_600_000, context: 64))
        var steps = 0
        let one = try Bard.tune([profile], options, store: try ScoreStore(path: nil), threads: 1, steps: &steps)[0]
        let two = try Bard.tune([profile], options, store: try ScoreStore(path: nil), threads: 2, steps: &steps)[0]
        #expect(one.plan == two.plan)
        #expect(one.quality == two.quality)
        #expect(one.uniform == two.uniform)
        for (name, stored) in one.weights.matrices {
            guard case .packed(let left) = stored, case .packed(let right) = two.weights.matrices[name] else {
                Issue.record("\(name) is not packed in both")
                continue
            }
            #expect(left == right, "\(name)")
        }
    }

    @Test func explainsAnInfeasibleProfileAndOffersTheNearestPlan() throws {
        var options = try Bard.options(["u8g64", "u4g64"])
        let profile = Bard.profile(memory: MemoryLimits(storage: 900_000))
        let store = try ScoreStore(path: nil)
        var steps = 0
        let error = #expect(throws: TuningError.self) {
            _ = try Bard.tune([profile], options, store: store, steps: &steps)
        }
        #expect(error?.code == .infeasible)
        #expect(error?.message.contains("memory.storage of 900000 B is out of reach") == true)
        options.nearest = true
        let result = try Bard.tune([profile], options, store: store, steps: &steps)[0]
        #expect(result.plan.groups.allSatisfy { $0.choice.name == "u4g64" })
        #expect(result.verdicts.contains { $0.constraint == "memory.storage" && !$0.met })
    }

    @Test func minimisesMemoryUnderAQualityGoal() throws {
        var profile = Bard.profile(memory: MemoryLimits(context: 64))
        profile.quality = QualityGoal(metric: .kl, goal: 0.05)
        profile.prefer = .memory
        var steps = 0
        let result = try Bard.tune([profile], try Bard.options(), store: try ScoreStore(path: nil), steps: &steps)[0]
        #expect(result.certificate.objective == "resident")
        #expect(result.quality.kl <= 0.05)
        // 8 bits everywhere would be far better than asked for and twice as large.
        #expect(result.quality.kl > 0.005)
        #expect(result.verdicts.contains { $0.constraint == "quality.goal" && $0.met })
    }

    @Test func makesTheUniformPlanThatIsAskedFor() throws {
        var options = try Bard.options()
        options.uniform = try Spec(parsing: "u5g64")
        options.head = try Format(parsing: "u8g64")
        var steps = 0
        let result = try Bard.tune(
            [Bard.profile(memory: MemoryLimits())], options, store: try ScoreStore(path: nil), steps: &steps)[0]
        #expect(result.plan.kv.format == "int8")
        for group in result.plan.groups {
            #expect(group.choice.name == (group.name == "token_embd" ? "u8g64" : "u5g64"))
        }
    }

    /// Sums of scores know nothing of refinement; what the refined plan does on calibration text that nothing else has used says
    /// what it does on the evaluation text.
    @Test func predictsWhatThePlanDoesOnUnseenText() throws {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let lines = (0..<300).map { "To be or not to be, that is the question number \($0), and so it goes on.\n" }
        try lines.joined().write(to: scratch, atomically: true, encoding: .utf8)
        var options = try Bard.options(["a2g64"])
        options.calibration = scratch.path
        options.schedule = TuningSchedule(
            calibrationSequences: 12, evaluationChunks: 4, unseenChunks: 6, context: 128, exchanges: 0)
        var steps = 0
        let result = try Bard.tune(
            [Bard.profile(memory: MemoryLimits())], options, store: try ScoreStore(path: nil), steps: &steps)[0]
        #expect(result.plan.groups.contains { $0.choice.refinement.hasSuffix("+gptq") })
        let predicted = try #require(result.quality.predictedKL)
        #expect(abs(predicted - result.plan.predictedKL) < 1e-12, "the scores of the groups add up to it")
        let scores = result.certificate.value
        #expect(abs(log(result.quality.kl / predicted)) < abs(log(result.quality.kl / scores)))
        // A few hundred positions of one text are alike to a quarter.
        #expect(abs(log(result.quality.kl / predicted)) < 0.25, "\(predicted), \(result.quality.kl), \(scores)")
        #expect(result.stages.contains { $0.name == "predict" })
    }

    /// Both uses of a tied embedding are scored one choice after the other: a run that stops in between repeats none.
    @Test func aStoppedRunScoresNoChoiceOfTheEmbeddingTwice() throws {
        let store = try ScoreStore(path: nil)
        let options = try Bard.options(["u8g64", "u6g64", "u5g64", "u4g64", "a4g32"])
        let profile = Bard.profile(memory: MemoryLimits())
        let model = try Bard.model()
        let isLastVisit = { (fraction: Double) in fraction * Double(4 * model.configuration.layers + 2) > 17 }
        var scored = 0
        func score(stopAfter limit: Int) throws {
            scored = 0
            let tuner = Tuner(
                options: options, store: store, pool: ThreadPool(threads: 2), isCancelled: { scored == limit }
            ) { progress in
                if progress.text == "token_embd.weight", isLastVisit(progress.fraction) { scored += 1 }
            }
            try tuner.score(model: model, profiles: [profile], part: nil)
        }
        #expect(throws: TuningError.self) { try score(stopAfter: 2) }
        try score(stopAfter: -1)
        // The third was stored before the run was asked to stop.
        #expect(scored == 2)
    }

    /// A clock on which every look takes a tenth of a second.
    private final class TickingClock: Clock {
        private let ticks = Atomic<Int>(0)
        private let start = ContinuousClock().now
        var now: ContinuousClock.Instant {
            start.advanced(by: .milliseconds(100 * ticks.add(1, ordering: .relaxed).newValue))
        }
        var minimumResolution: Duration { .milliseconds(100) }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
    }

    /// Under a limit that scoring would break, a second device gets a plan of the formats that the first one had scored, though its
    /// own limits would ask for narrower ones, too; without a plan of these, or with time, they are scored.
    @Test func aShortTimeIsNotSpentOnScores() throws {
        var options = TuningOptions()
        options.schedule = TuningSchedule(calibrationSequences: 2, evaluationChunks: 2, context: 128)
        let store = try ScoreStore(path: nil)
        var steps = 0
        func tune(bits: Double) throws -> TuningResult {
            let bytes = Int(bits * Double(try Bard.model().configuration.parameters) / 8)
            return try Bard.tune(
                [Bard.profile(memory: MemoryLimits(storage: bytes))], options, store: store, steps: &steps)[0]
        }
        _ = try tune(bits: 6)
        #expect(steps > 0)
        options.timeLimit = .milliseconds(1)
        let short = try tune(bits: 4.8)
        #expect(steps == 0 && short.cutShort)
        #expect(short.plan.groups.allSatisfy { $0.choice.format.bits >= 4 })
        _ = try tune(bits: 2.7)
        #expect(steps > 0)
        options.timeLimit = .seconds(3600)
        let long = try tune(bits: 4.8)
        #expect(!long.cutShort)
    }

    /// However short the time for exchanges is, what was measured before them counts: the plan is no worse than the baseline
    /// that stands beside it.
    @Test func underATimeLimitTheBaselineStays() throws {
        var options = try Bard.options(["u8g64", "u4g64", "k4g64"])
        let store = try ScoreStore(path: nil)
        var steps = 0
        _ = try Bard.tune(
            [Bard.profile(memory: MemoryLimits(storage: 1_700_000))], options, store: store, steps: &steps)
        var cuts: [Bool] = []
        for limit in [3.0, 3.5, 60] {
            options.timeLimit = .seconds(limit)
            let tuner = Tuner(
                options: options, store: store, pool: ThreadPool(threads: 2), clock: TickingClock(),
                isCancelled: { false }
            ) { _ in }
            // A limit of its own, so that no measurement is known.
            let profile = Bard.profile(memory: MemoryLimits(storage: 1_600_000 - Int(1000 * limit)))
            let result = try tuner.tune(model: try Bard.model(), profiles: [profile])[0]
            let uniform = try #require(result.uniform)
            #expect(result.quality.kl <= uniform.kl)
            cuts.append(result.cutShort)
        }
        #expect(cuts[0] && !cuts[2], "\(cuts)")
    }

    @Test func stopsWhenItIsCancelled() throws {
        let tuner = Tuner(
            options: try Bard.options(), store: try ScoreStore(path: nil), pool: ThreadPool(threads: 1),
            isCancelled: { true }
        ) { _ in }
        let error = #expect(throws: TuningError.self) {
            _ = try tuner.tune(model: try Bard.model(), profiles: [Bard.profile(memory: MemoryLimits())])
        }
        #expect(error?.code == .cancelled)
    }
}
