import DeviceProfiles
import Foundation
import Synchronization
import Testing
import Tuning

/// Stores that are shown, bounded and merged.
struct StoreMaintenanceTests {
    /// A clock that a test sets.
    private final class TestClock: Sendable {
        private let seconds = Atomic<Int>(0)
        var now: Double { Double(seconds.load(ordering: .relaxed)) }
        func set(_ value: Int) { seconds.store(value, ordering: .relaxed) }
    }

    private static func score(_ seed: UInt64, _ store: ScoreStore) throws {
        var options = try Bard.options(["u8g64"])
        options.seed = seed
        var steps = 0
        _ = try Bard.tune([Bard.profile(memory: MemoryLimits())], options, store: store, steps: &steps)
    }

    @Test func prunesWhatWasNotUsedForLongest() throws {
        let clock = TestClock()
        let store = try ScoreStore(path: nil, now: { clock.now })
        for (time, seed) in [(1000, 1), (2000, 2), (3000, 1)] as [(Int, UInt64)] {
            clock.set(time)
            try Self.score(seed, store)
        }
        let before = try store.contents()
        // For each seed: scores, the factors of balanced channels, the text that the model wrote, what the plans do on either part
        // of it, and what the source says on the two chunks of each.
        #expect(before.entries.count == 18)
        #expect(before.entries.allSatisfy { $0.scores + $0.vectors > 0 && $0.bytes > 0 })
        let pruned = try store.prune(before: 2500)
        let after = try store.contents()
        #expect(pruned.contexts == before.entries.filter { $0.used < 2500 }.count)
        #expect(after.entries == before.entries.filter { $0.used >= 2500 })
        #expect(after.entries.contains { $0.context.contains("seed=1") })
        #expect(!after.entries.contains { $0.context.contains("seed=2") })
    }

    @Test func keepsToASizeWhileAnotherProcessUsesIt() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "scores.sqlite").path
        let store = try ScoreStore(path: path)
        let other = try ScoreStore(path: path)
        for seed in 1...4 as ClosedRange<UInt64> { try Self.score(seed, store) }
        let full = try store.contents().bytes
        let pruned = try other.prune(to: full / 2)
        #expect(pruned.bytesBefore == full)
        #expect(pruned.bytesAfter <= full / 2 && pruned.contexts > 0)
        #expect(try store.contents().bytes <= full / 2)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(try #require(size) <= full / 2, "pages go back to the file system")
        // What is gone is measured again.
        try Self.score(1, store)
        #expect(try store.prune(to: 0, keeping: ["seed=1"]).contexts > 0)
        let left = try store.contents().entries
        #expect(!left.isEmpty && left.allSatisfy { $0.context.contains("seed=1") })
    }

    @Test func storesThatDisagreeAreNotMerged() throws {
        let stores = try (0..<2).map { _ in try ScoreStore(path: nil) }
        for store in stores { try store.put(["x": [1.5, 2.5]], in: "model=m") }
        #expect(try stores[0].contents().digest == stores[1].contents().digest)
        #expect(try stores[0].merge(stores[1]) == 0)
        try stores[0].put(["y": [1.0]], in: "model=m")
        try stores[1].put(["y": [(1 as Double).nextUp]], in: "model=m")
        #expect(try stores[0].contents().digest != stores[1].contents().digest)
        let error = #expect(throws: TuningError.self) { _ = try stores[0].merge(stores[1]) }
        #expect(error?.code == .badInput)
    }
}
