import Compute
import Daemon
import Foundation
import Testing

/// kill -9 of the daemon at random moments: no job is lost, nothing is left behind, little is done twice, and what comes
/// out is what an undisturbed run makes. FETTLE_CHAOS_KILLS sets how often in all; `make check` says 200.
@Suite(.serialized) struct KillTests {
    private static let asked = ProcessInfo.processInfo.environment["FETTLE_CHAOS_KILLS"].flatMap(Int.init)
    private static let kills = asked ?? 10
    /// Kills in one run. More of them would leave lives too short for a process to start and measure anything.
    private static let killsInARun = 20

    /// Three runtimes or budgets of their own; at full length every format is measured, half a minute of work.
    private static let profiles: [String: String] =
        asked == nil
        ? [
            "small": DaemonRun.profile("small", storage: 1_600_000),
            "mid": DaemonRun.profile("mid", storage: 2_000_000),
            "large": DaemonRun.profile("large", storage: 2_400_000),
        ]
        : [
            "fettle": "fettle: 1\nname: fettle\nmemory: {storage: 1600000 B, context: 16}\n",
            "longer": "fettle: 1\nname: longer\nmemory: {storage: 1600000 B, context: 24}\n",
            "llama": "fettle: 1\nname: llama\nruntime: llama.cpp\nmemory: {storage: 1600000 B, context: 16}\n",
        ]
    private static let settings = "settle: 0 s\nthreads: 1\n"

    @Test func killedAtRandomMoments() async throws {
        let calm = try Self.run()
        let began = ContinuousClock.now
        try calm.start()
        let expected = try await calm.wait(seconds: 600, "the undisturbed run ends", until: Self.areDone)
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let calmWork = ChildWork.sample(of: try #require(calm.process?.processIdentifier))
        #expect(try calm.stop() == 0)

        var generator = SeededGenerator(seed: 11)
        var left = Self.kills
        var ratios: [Double] = []
        while left > 0 {
            let kills = min(left, Self.killsInARun)
            left -= kills
            let run = try Self.run()
            var work = 0.0
            for _ in 0..<kills {
                try run.start()
                let life = Double.random(in: 0...2 * seconds / Double(kills), using: &generator)
                try await Task.sleep(for: .seconds(life))
                work += ChildWork.sample(of: try #require(run.process?.processIdentifier))
                run.kill(SIGKILL)
            }
            try run.start()
            let jobs = try await run.wait(seconds: 600, "every job ends done", until: Self.areDone)
            work += ChildWork.sample(of: try #require(run.process?.processIdentifier))
            #expect(try run.stop() == 0)
            #expect(run.leftovers == [])
            try await run.noChildIsLeft()
            #expect(Set(jobs.map(\.key)) == Set(expected.map(\.key)))
            for job in expected { try Self.compare(try #require(job.bundle), calm, run) }
            ratios.append(work / calmWork)
        }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        print("\(Self.kills) kills in \(ratios.count) runs: work \(mean) times that of an undisturbed run: \(ratios)")
        #expect(mean <= 1.5, "work of \(calmWork) s was done \(ratios) times")
    }

    private static func run() throws -> DaemonRun {
        let run = try DaemonRun(profiles: profiles, settings: settings)
        try FileManager.default.copyItem(atPath: DaemonRun.bard, toPath: run.folder("models/bard"))
        return run
    }

    private static func areDone(_ jobs: [Job]) -> Bool { jobs.count == 3 && jobs.allSatisfy { $0.state == .done } }

    /// The bundle at `path` in `calm` and the one of `run` have the same files of the same bytes, but for provenance.
    private static func compare(_ path: String, _ calm: DaemonRun, _ run: DaemonRun) throws {
        let other = path.replacing(calm.folder.path, with: run.folder.path)
        let files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(try FileManager.default.contentsOfDirectory(atPath: other).sorted() == files)
        for file in files where file != "SHA256SUMS" {
            var contents = try [path, other].map { try Data(contentsOf: URL(filePath: "\($0)/\(file)")) }
            if file == "bundle.json" {
                contents = try contents.map { data in
                    var manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                    manifest["provenance"] = nil
                    return try JSONSerialization.data(withJSONObject: manifest, options: .sortedKeys)
                }
            }
            #expect(contents[0] == contents[1], "\(other)/\(file) differs")
        }
    }
}

/// Processor time of a daemon's children, from /proc (proc(5)).
enum ChildWork {
    /// Seconds of all children of `process`: those that it waited for, and those that still run.
    static func sample(of process: Int32) -> Double {
        let ended = fields(process).map { ticks($0, [13, 14]) } ?? 0
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let running = entries.compactMap(Int32.init).compactMap(fields).filter { $0[1] == String(process) }
        return running.reduce(ended) { $0 + ticks($1, [11, 12, 13, 14]) } / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The fields of /proc/PID/stat after the name: state, parent, ...
    private static func fields(_ process: Int32) -> [String]? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: end)...].split(separator: " ").map(String.init)
    }

    private static func ticks(_ fields: [String], _ indices: [Int]) -> Double {
        indices.reduce(0) { $0 + (fields.indices.contains($1) ? Double(fields[$1]) ?? 0 : 0) }
    }
}

extension DaemonRun {
    /// Nothing that a daemon of this folder started is alive.
    func noChildIsLeft() async throws {
        let found = try Shell.run("pgrep -f -- '[-]-out \(folder("bundles"))'")
        #expect(found.status != 0, "\(found.output)")
    }
}
