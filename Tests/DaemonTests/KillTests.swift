import Compute
import Foundation
import Testing

/// kill -9 of the daemon at random moments: no job is lost, nothing is left behind, little is done twice, and what comes
/// out is what an undisturbed run makes. FETTLE_CHAOS_KILLS sets how often; `make check` says 200.
@Suite(.serialized) struct KillTests {
    private static let kills = ProcessInfo.processInfo.environment["FETTLE_CHAOS_KILLS"].flatMap(Int.init) ?? 10
    private static let profiles = [
        "small": DaemonRun.profile("small", storage: 1_600_000), "mid": DaemonRun.profile("mid", storage: 2_000_000),
        "large": DaemonRun.profile("large", storage: 2_400_000),
    ]

    @Test func killedAtRandomMoments() async throws {
        let settings = "settle: 0 s\nthreads: 1\n"
        let calm = try DaemonRun(profiles: Self.profiles, settings: settings)
        try FileManager.default.copyItem(atPath: DaemonRun.bard, toPath: calm.folder("models/bard"))
        let began = ContinuousClock.now
        try calm.start()
        let first = try await calm.wait(seconds: 300, "the undisturbed run ends") { jobs in
            jobs.count == 3 && jobs.allSatisfy { $0.state == .done }
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let calmWork = ChildWork.sample(of: try #require(calm.process?.processIdentifier))
        #expect(try calm.stop() == 0)

        let run = try DaemonRun(profiles: Self.profiles, settings: settings)
        try FileManager.default.copyItem(atPath: DaemonRun.bard, toPath: run.folder("models/bard"))
        var generator = SeededGenerator(seed: 11)
        var work = 0.0
        for _ in 0..<Self.kills {
            try run.start()
            let life = Double.random(in: 0...2 * seconds / Double(Self.kills), using: &generator)
            try await Task.sleep(for: .seconds(life))
            work += ChildWork.sample(of: try #require(run.process?.processIdentifier))
            run.kill(SIGKILL)
        }
        try run.start()
        let jobs = try await run.wait(seconds: 300, "every job ends done") { jobs in
            jobs.count == 3 && jobs.allSatisfy { $0.state == .done }
        }
        work += ChildWork.sample(of: try #require(run.process?.processIdentifier))
        #expect(try run.stop() == 0)
        #expect(run.leftovers == [])
        print("kills \(Self.kills), work \(work) s of \(calmWork) s undisturbed: \(work / calmWork) times")
        #expect(work <= 1.5 * calmWork, "\(work) s of work instead of \(calmWork) s")
        #expect(Set(jobs.map(\.key)) == Set(first.map(\.key)))
        for job in first {
            let path = try #require(job.bundle).replacing(calm.folder.path, with: run.folder.path)
            let original = try #require(job.bundle)
            let files = try FileManager.default.contentsOfDirectory(atPath: original)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == files.sorted())
            for file in files where file != "bundle.json" && file != "SHA256SUMS" {
                let same =
                    try Data(contentsOf: URL(filePath: "\(original)/\(file)"))
                    == Data(contentsOf: URL(filePath: "\(path)/\(file)"))
                #expect(same, "\(file) of \(job.profile) differs")
            }
        }
        try await run.noChildIsLeft()
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
