import Compute
import Daemon
import Foundation
import Testing

/// The store on a real SQLite file.
@Suite struct JobStoreTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let folder: Folder
    private let store: JobStore

    init() throws {
        folder = try Folder()
        store = try JobStore(path: folder("jobs.sqlite"), policy: JobEventTests.policy)
    }

    private func request(_ model: Int, _ profile: String = "p") -> JobRequest {
        JobRequest(
            key: JobKey(modelDigest: "m\(model)", profileDigest: profile, settingsDigest: "s"),
            modelPath: "/models/\(model).gguf", model: "\(model)", profile: profile)
    }

    @discardableResult private func reconcile(_ requests: [JobRequest]) async throws -> JobStore.Reconciliation {
        try await store.reconcile(requests, now: Self.now) { _ in "gone" }
    }

    @Test func oneJobForEachKeyHoweverOftenItIsWanted() async throws {
        #expect(try await reconcile([request(1), request(2)]).queued.map(\.id) == [1, 2])
        let again = try await reconcile([request(1), request(2)])
        #expect(again.queued.isEmpty && again.withdrawn.isEmpty)
        #expect(try await reconcile([request(1), request(1, "q"), request(2)]).queued.map(\.id) == [3])
        #expect(try await store.counts()[.queued] == 3)
    }

    @Test func priorityThenAgeAndOneJobOfAModelAtATime() async throws {
        try await reconcile([request(1, "p"), request(1, "q"), request(2), request(3)])
        #expect(try await store.submit(request(3), priority: 5, now: Self.now).priority == 5)
        var claimed: [Int64] = []
        while let job = try await store.claim(now: Self.now) { claimed.append(job.id) }
        #expect(claimed == [4, 1, 3], "the second job of model 1 waits for the first")
        _ = try await store.apply(.finished(JobEventTests.bundle), to: 1, now: Self.now)
        #expect(try await store.claim(now: Self.now, busy: [1]) == nil, "the child of job 1 has not ended")
        #expect(try await store.claim(now: Self.now)?.id == 2)
    }

    @Test func aJobOfBackOffWaitsButNotForAClockThatWasSetBack() async throws {
        try await reconcile([request(1)])
        let job = try #require(try await store.claim(now: Self.now))
        _ = try await store.apply(.broke("x"), to: job.id, now: Self.now)
        #expect(try await store.claim(now: Self.now + 9) == nil)
        #expect(try await store.claim(now: Self.now - 86_400 * 365)?.id == job.id)
    }

    @Test func recoveryQueuesWhatRanAndKeepsItsProgress() async throws {
        try await reconcile([request(1), request(2)])
        let job = try #require(try await store.claim(now: Self.now))
        try await store.record(stage: "scores", fraction: 0.25, message: "blk.1", of: job.id)
        let reopened = try JobStore(path: folder("jobs.sqlite"), policy: JobEventTests.policy)
        #expect(try await reopened.recover(now: Self.now) == 1)
        let back = try #require(try await reopened.job(job.id))
        #expect(back.state == .queued && back.stage == "scores" && back.fraction == 0.25 && back.attempts == 0)
        #expect(try await reopened.recover(now: Self.now) == 0)
    }

    @Test func whatNobodyWantsIsWithdrawnAndComesBack() async throws {
        try await reconcile([request(1), request(2)])
        _ = try await store.claim(now: Self.now)
        let change = try await reconcile([request(2)])
        #expect(change.withdrawn.map(\.id) == [1] && change.withdrawn.first?.message == "gone")
        #expect(try await store.job(1)?.state == .cancelled)
        var moved = request(1)
        moved.modelPath = "/elsewhere.gguf"
        #expect(try await reconcile([moved, request(2)]).queued.map(\.id) == [1])
        #expect(try await store.job(1)?.modelPath == "/elsewhere.gguf")
    }

    @Test func whatAUserCancelledStaysCancelled() async throws {
        try await reconcile([request(1)])
        #expect(try await store.apply(.cancelled("by a user"), to: 1, now: Self.now)?.state == .cancelled)
        #expect(try await reconcile([request(1)]).queued.isEmpty)
        #expect(try await store.apply(.retried, to: 1, now: Self.now)?.state == .queued)
        #expect(try await store.apply(.retried, to: 1, now: Self.now) == nil)
        #expect(try await store.apply(.retried, to: 99, now: Self.now) == nil)
    }

    @Test func listingGoesBackPageByPage() async throws {
        try await reconcile((0..<25).map { request($0) })
        _ = try await store.claim(now: Self.now)
        let page = try await store.jobs(state: .queued, limit: 10, before: nil)
        #expect(page.map(\.id) == Array((16...25).reversed()))
        #expect(try await store.jobs(state: nil, limit: 10, before: 6).map(\.id) == [5, 4, 3, 2, 1])
        #expect(
            try await store.counts() == [
                .queued: 24, .running: 1, .done: 0, .failed: 0, .infeasible: 0, .cancelled: 0,
            ])
    }

    @Test func modelsAreRememberedByTheirSignature() async throws {
        let known = KnownModel(name: "m", digest: "d")
        try await store.remember(known, path: "/m", signature: "1")
        #expect(try await store.knownModel(path: "/m", signature: "1") == known)
        #expect(try await store.knownModel(path: "/m", signature: "2") == nil)
    }

    /// Random events against a model that knows nothing but the state table: the store agrees at every step.
    @Test(arguments: [1, 2, 3] as [UInt64]) func randomEventsAgreeWithTheTable(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        try await reconcile((0..<6).map { request($0) })
        var states = [JobState](repeating: .queued, count: 6)
        for _ in 0..<150 {
            let index = Int.random(in: 0..<6, using: &generator)
            let event = JobEventTests.events.randomElement(using: &generator) ?? .begun
            let name = String("\(event)".prefix { $0 != "(" })
            let expected = JobEventTests.table[states[index]]?[name]
            let job = try await store.apply(event, to: Int64(index + 1), now: Self.now)
            // Whether a job that breaks is given up depends on its attempts.
            let isGivenUp = name == "broke" && job?.state == .failed && (job?.attempts ?? 0) >= 3
            #expect(job?.state == expected || isGivenUp)
            if let job { states[index] = job.state }
        }
        for (index, state) in states.enumerated() { #expect(try await store.job(Int64(index + 1))?.state == state) }
    }
}
