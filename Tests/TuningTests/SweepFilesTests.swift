import Compute
import DeviceProfiles
import Foundation
import Testing
import Tuning

/// A sweep's place on disk.
struct SweepFilesTests {
    @Test func keepsMatricesAndSeesDamage() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let files = SweepFiles(directory: directory, key: "k")
        let matrix = Matrix(rows: 2, columns: 3, values: [1, -2, 3.5, 0, .infinity, 1e-30])
        files.keep(matrix, "residual-0")
        // Another process finds it.
        let other = SweepFiles(directory: directory, key: "k")
        #expect(other.contains("residual-0"))
        #expect(other.matrix("residual-0", rows: 2, columns: 3) == matrix)
        #expect(other.matrix("residual-0", rows: 3, columns: 3) == nil)
        #expect(SweepFiles(directory: directory, key: "other").matrix("residual-0", rows: 2, columns: 3) == nil)
        let path = try #require(try FileManager.default.contentsOfDirectory(atPath: directory).first)
        var bytes = try Data(contentsOf: URL(filePath: "\(directory)/\(path)"))
        bytes[5] ^= 1
        try bytes.write(to: URL(filePath: "\(directory)/\(path)"))
        #expect(other.matrix("residual-0", rows: 2, columns: 3) == nil)
        other.forget("residual-0")
        #expect(!files.contains("residual-0"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
    }

    /// A run of scores that stops in the middle does not show the layers before it again, and leaves nothing behind.
    @Test func aStoppedRunGoesOnWhereItWas() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let options = try Bard.options(["u8g64", "u4g64"])
        func run(_ store: ScoreStore, stop: Int) throws -> [String] {
            var seen: [String] = []
            let tuner = Tuner(
                options: options, store: store, pool: ThreadPool(threads: 2), isCancelled: { seen.count == stop }
            ) { progress in
                if progress.stage == "scores", progress.fraction > 0 { seen.append(progress.text) }
            }
            do {
                try tuner.score(model: try Bard.model(), profiles: [Bard.profile(memory: MemoryLimits())], part: nil)
            } catch let error as TuningError where error.code == .cancelled {}
            return seen
        }
        let whole = try ScoreStore(path: nil)
        let all = try run(whole, stop: -1)
        let store = try ScoreStore(path: directory.appending(path: "scores.sqlite").path)
        let first = try run(store, stop: all.count / 2)
        let second = try run(store, stop: -1)
        let repeated = Set(first.filter { $0.hasPrefix("blk.") }).intersection(second)
        // The layer that it was in is computed again, and shows its groups' importances.
        #expect(Set(repeated.map { $0.prefix(6) }).count <= 1, "\(repeated)")
        #expect(try store.contents().digest == whole.contents().digest)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.appending(path: "sweeps").path)
        #expect(left.isEmpty)
    }
}
