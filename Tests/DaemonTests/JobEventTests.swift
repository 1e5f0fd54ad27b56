import Daemon
import Foundation
import Testing

/// The states of a job as a pure function: which event is allowed where, and what it leaves behind.
@Suite struct JobEventTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let policy = RetryPolicy(mostAttempts: 3, firstDelay: 10, factor: 4, longestDelay: 100)
    static let bundle = JobEvent.FinishedBundle(path: "/b", kl: 0.5, storedBytes: 7)
    static let events: [JobEvent] = [
        .begun, .finished(bundle), .infeasible("i"), .refused("r"), .broke("b"), .interrupted, .cancelled("c"),
        .retried,
    ]

    static func job(_ state: JobState, attempts: Int = 1) -> Job {
        Job(
            id: 1, modelPath: "/m", model: "m", modelDigest: "d", profile: "p", profileDigest: "e", settingsDigest: "s",
            state: state, priority: 0, attempts: attempts, created: now)
    }

    /// The whole table, written down by hand: what each event makes of each state; absent is refused.
    static let table: [JobState: [String: JobState]] = [
        .queued: ["begun": .running, "cancelled": .cancelled],
        .running: [
            "finished": .done, "infeasible": .infeasible, "refused": .failed, "broke": .queued,
            "interrupted": .queued, "cancelled": .cancelled,
        ],
        .done: ["retried": .queued], .failed: ["retried": .queued], .infeasible: ["retried": .queued],
        .cancelled: ["retried": .queued],
    ]

    @Test(arguments: JobState.allCases) func everyEventInEveryState(state: JobState) {
        for event in Self.events {
            let name = "\(event)".prefix { $0 != "(" }
            let after = Self.job(state).after(event, now: Self.now, policy: Self.policy)
            #expect(after?.state == Self.table[state]?[String(name)], "\(event) in \(state)")
            if let after { #expect(after.state.isFinal == (after.finished != nil), "\(event) in \(state)") }
        }
    }

    @Test func backOffGrowsAndEnds() throws {
        var job = Self.job(.queued, attempts: 0)
        var delays: [Double] = []
        while job.state == .queued {
            job = try #require(job.after(.begun, now: Self.now, policy: Self.policy))
            job = try #require(job.after(.broke("disk full"), now: Self.now, policy: Self.policy))
            if let notBefore = job.notBefore { delays.append(notBefore.timeIntervalSince(Self.now)) }
        }
        #expect(delays == [10, 40])
        #expect(job.state == .failed && job.attempts == 3)
        #expect(job.message?.contains("disk full") == true)
        job = try #require(job.after(.retried, now: Self.now, policy: Self.policy))
        #expect(job.state == .queued && job.attempts == 0 && job.message == nil)
    }

    /// A kill of the daemon is not the job's fault, however often it happens.
    @Test func interruptionsDoNotPoison() throws {
        var job = Self.job(.queued, attempts: 0)
        for _ in 0..<200 {
            job = try #require(job.after(.begun, now: Self.now, policy: Self.policy))
            job = try #require(job.after(.interrupted, now: Self.now, policy: Self.policy))
        }
        #expect(job.state == .queued && job.attempts == 0 && job.notBefore == nil)
    }

    @Test func aClockSetBackDelaysNobody() {
        let policy = Self.policy
        #expect(policy.isDue(nil, now: Self.now))
        #expect(policy.isDue(Self.now, now: Self.now))
        #expect(!policy.isDue(Self.now + 50, now: Self.now))
        #expect(policy.isDue(Self.now + 86_400 * 3650, now: Self.now))
        #expect(policy.delay(after: 1) == 10 && policy.delay(after: 2) == 40 && policy.delay(after: 50) == 100)
    }
}
