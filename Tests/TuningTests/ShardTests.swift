import Compute
import DeviceProfiles
import Foundation
import ModelFiles
import Testing
import Tuning

/// Scoring in parts against scoring at once.
struct ShardTests {
    /// Scores a part; returns how many sites' factors were found for balancing.
    @discardableResult
    private static func score(
        _ part: (Shard, SharedWork)?, into store: ScoreStore, calibration: String?
    ) throws -> Int {
        var options = try Bard.options(["u8g64", "k4g64", "a3g32", "k4ce30"])
        options.calibration = calibration
        var balanced = 0
        let tuner = Tuner(options: options, store: store, pool: ThreadPool(threads: 2)) { progress in
            if progress.stage == "balance", progress.fraction > 0 { balanced += 1 }
        }
        try tuner.score(
            model: try Bard.model(), profiles: [Bard.profile(memory: MemoryLimits(storage: 1_900_000))], part: part)
        return balanced
    }

    /// Two sequences, so that a shard has records of both; on text that the model writes and on a file.
    @Test(arguments: [false, true]) func mergedShardsAreTheStoreOfOneRun(onFile: Bool) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let text = directory.appending(path: "text.txt")
        let lines = (0..<200).map { "To be or not to be, that is the question number \($0).\n" }
        try lines.joined().write(to: text, atomically: true, encoding: .utf8)
        let calibration = onFile ? text.path : nil

        let whole = try ScoreStore(path: nil)
        try Self.score(nil, into: whole, calibration: calibration)
        let shared = try SharedWork(directory: directory.appending(path: "shared").path)
        let merged = try ScoreStore(path: nil)
        for index in 1...3 {
            let shard = try #require(Shard(parsing: "\(index)/3"))
            let part = try ScoreStore(path: nil)
            let balanced = try Self.score((shard, shared), into: part, calibration: calibration)
            #expect((balanced > 0) == (index == 1), "shard \(index) found \(balanced) factors")
            let contents = try part.contents()
            #expect(try contents.digest != whole.contents().digest)
            #expect(try merged.merge(part) > 0)
            #expect(try merged.merge(part) == 0)
        }
        #expect(try merged.contents().digest == whole.contents().digest)
    }

    @Test func everyThingIsInOneShard() throws {
        var generator = SeededGenerator(seed: 4)
        let costs = (0..<50).map { _ in generator.unit() * generator.unit() }
        for count in [1, 2, 7, 60] {
            let parts = try (1...count).map { try #require(Shard(parsing: "\($0)/\(count)")).part(of: costs) }
            #expect(parts.reduce(0) { $0 + $1.count } == costs.count)
            #expect(parts.reduce(Set()) { $0.union($1) } == Set(costs.indices))
            // Each thing goes to the least loaded: at most the mean and the dearest thing (Graham, 1966).
            let loads = parts.map { $0.reduce(0) { $0 + costs[$1] } }
            #expect((loads.max() ?? 0) <= costs.reduce(0, +) / Double(count) + (costs.max() ?? 0))
        }
    }

    @Test(arguments: ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/2/3", "a/b", "1/10001"])
    func whatIsNoShardIsRefused(text: String) {
        #expect(Shard(parsing: text) == nil)
    }
}
