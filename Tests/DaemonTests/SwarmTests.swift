import Compute
import Daemon
import Foundation
import Testing

/// Many models at once from eight writers that rename, copy in pieces and delete: each complete model is tuned exactly once.
/// FETTLE_CHAOS_MODELS sets how many; `make check` says 500.
@Suite(.serialized) struct SwarmTests {
    private static let count = ProcessInfo.processInfo.environment["FETTLE_CHAOS_MODELS"].flatMap(Int.init) ?? 24
    private static let writers = 8

    /// How a model arrives, and whether it stays.
    private enum Way: CaseIterable {
        /// Written under a temporary name and renamed.
        case renamed
        /// Written in place, in pieces.
        case pieces
        /// Written whole, then given another name at once.
        case moved
        /// Half of it, never the rest.
        case half
        /// Begun and deleted.
        case deleted
    }

    @Test func eachCompleteModelExactlyOnce() async throws {
        let run = try DaemonRun(
            profiles: ["one": DaemonRun.profile("one", storage: 200_000, weights: "[4]")],
            settings: "settle: 700 ms\nworkers: 2\n")
        try run.start()
        let models = run.folder("models")
        let arrivals = try await withThrowingTaskGroup(of: [Arrival].self) { group in
            for writer in 0..<Self.writers {
                group.addTask {
                    var arrivals: [Arrival] = []
                    var generator = SeededGenerator(seed: UInt64(writer))
                    for index in stride(from: writer, to: Self.count, by: Self.writers) {
                        let way = Way.allCases.randomElement(using: &generator) ?? .renamed
                        let data = try TinyModel.gguf(seed: UInt64(1000 + index))
                        if let arrival = try await Self.write(data, "\(models)/m\(index)", way) {
                            arrivals.append(arrival)
                        }
                    }
                    return arrivals
                }
            }
            return try await group.reduce(into: [Arrival]()) { $0 += $1 }
        }
        let expected = Set(arrivals.map(\.name))
        let paused = Set(arrivals.filter(\.hasPaused).map(\.name))
        let jobs = try await run.wait(seconds: 60 + 2 * Double(Self.count), "every model is tuned") { jobs in
            jobs.count { $0.state == .done } >= expected.count && jobs.allSatisfy(\.state.isFinal)
        }
        // Whatever else may come has had its chance.
        try await Task.sleep(for: .seconds(3))
        let after = await run.jobs()
        #expect(after.count == jobs.count)
        #expect(Set(after.filter { $0.state == .done }.map(\.model)) == expected)
        #expect(Set(after.map(\.modelDigest)).count == after.count)
        // A job that runs more than once would show it here.
        let repeated = after.filter { $0.state == .done && $0.attempts > 1 && !paused.contains($0.model) }
        #expect(repeated.isEmpty, "\(repeated)")
        #expect(after.allSatisfy { $0.state == .done || $0.state == .cancelled })
        #expect(run.leftovers == [])
        #expect(try run.stop() == 0)
    }

    /// A model that is there to stay.
    private struct Arrival {
        var name: String
        /// Whether it stood complete under its first name for as long as models have to settle (where the machine let the writer
        /// wait): its first job is then rightly given up when it moves.
        var hasPaused = false
    }

    /// Half of the time that models have to settle.
    private static let pause = Duration.milliseconds(350)

    /// Lets a model arrive at `path`, without its ending. Nil where it does not stay.
    private static func write(_ data: Data, _ path: String, _ way: Way) async throws -> Arrival? {
        let file = URL(filePath: "\(path).gguf")
        let name = (path as NSString).lastPathComponent
        switch way {
        case .renamed:
            try data.write(to: URL(filePath: "\(path).part"))
            try FileManager.default.moveItem(atPath: "\(path).part", toPath: file.path)
            return Arrival(name: name)
        case .pieces:
            try Data().write(to: file)
            let handle = try FileHandle(forWritingTo: file)
            for start in stride(from: 0, to: data.count, by: data.count / 3) {
                try handle.write(contentsOf: data[start..<min(data.count, start + data.count / 3)])
                try await Task.sleep(for: .milliseconds(60))
            }
            try handle.close()
            return Arrival(name: name)
        case .moved:
            let began = ContinuousClock.now
            try data.write(to: file)
            try FileManager.default.moveItem(atPath: file.path, toPath: "\(path)-moved.gguf")
            return Arrival(name: "\(name)-moved", hasPaused: .now - began > pause)
        case .half:
            try data.prefix(data.count / 2).write(to: file)
            return nil
        case .deleted:
            try data.write(to: file)
            try await Task.sleep(for: .milliseconds(30))
            try FileManager.default.removeItem(at: file)
            return nil
        }
    }
}
