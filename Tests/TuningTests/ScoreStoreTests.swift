import Compute
import DeviceProfiles
import Foundation
import Testing
import Tuning

/// The score store on disk.
struct ScoreStoreTests {
    private static func withDirectory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory)
    }

    @Test func isMadeWithItsDirectoryAndKeepsScores() throws {
        try Self.withDirectory { directory in
            let path = directory.appending(path: "deep/scores.sqlite").path
            let options = try Bard.options(["u8g64", "u4g64"])
            let profile = Bard.profile(memory: MemoryLimits(storage: 1_900_000))
            var first = 0
            var second = 0
            let before = try Bard.tune([profile], options, store: try ScoreStore(path: path), steps: &first)
            let after = try Bard.tune([profile], options, store: try ScoreStore(path: path), steps: &second)
            #expect(first > 0 && second == 0)
            #expect(before[0].plan == after[0].plan)
        }
    }

    @Test func anotherSeedIsMeasuredAnew() throws {
        let store = try ScoreStore(path: nil)
        var options = try Bard.options(["u8g64"])
        let profile = Bard.profile(memory: MemoryLimits())
        var steps = 0
        _ = try Bard.tune([profile], options, store: store, steps: &steps)
        options.seed += 1
        _ = try Bard.tune([profile], options, store: store, steps: &steps)
        #expect(steps > 0)
    }

    @Test func aFileThatIsNoDatabaseIsAnError() throws {
        try Self.withDirectory { directory in
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let path = directory.appending(path: "scores.sqlite").path
            try Data(repeating: 65, count: 8192).write(to: URL(filePath: path))
            let error = #expect(throws: TuningError.self) { _ = try ScoreStore(path: path) }
            #expect(error?.code == .systemFailure)
            #expect(error?.place == path)
        }
    }

    @Test func severalMayBeOpenAtOnce() throws {
        try Self.withDirectory { directory in
            let path = directory.appending(path: "scores.sqlite").path
            let stores = try (0..<2).map { _ in try ScoreStore(path: path) }
            let options = try Bard.options(["u8g64"])
            let profile = Bard.profile(memory: MemoryLimits())
            var steps = 0
            for store in stores { _ = try Bard.tune([profile], options, store: store, steps: &steps) }
            #expect(steps == 0, "the second store sees what the first has written")
        }
    }
}
