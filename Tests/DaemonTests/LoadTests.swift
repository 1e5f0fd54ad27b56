import Daemon
import DeviceProfiles
import Foundation
import Testing

/// Many jobs, and what the daemon weighs after them. FETTLE_CHAOS_JOBS sets how many; `make check` says 10,000.
@Suite(.serialized) struct LoadTests {
    private static let jobs = ProcessInfo.processInfo.environment["FETTLE_CHAOS_JOBS"].flatMap(Int.init) ?? 100

    /// A child that answers as `fettle` would, and refuses to tune: only the daemon's own work is left.
    private static let child = """
        #!/bin/sh
        name=$(basename "$2" .gguf)
        case $1 in
        probe) echo "{\\"state\\":\\"ready\\",\\"name\\":\\"$name\\",\\"digest\\":\\"$name\\"}" ;;
        *) exec >&2; echo "error: simulated"; exit 4 ;;
        esac

        """

    @Test func theDaemonIsAsSmallAfterTheLastJobAsAfterTheFirst() async throws {
        let side = Int(Double(Self.jobs).squareRoot().rounded(.up))
        let names = (0..<side).map { "p\($0)" }
        let run = try DaemonRun(
            profiles: Dictionary(uniqueKeysWithValues: names.map { ($0, DaemonRun.profile($0)) }),
            settings: "settle: 0 s\nworkers: 4\n")
        for index in 0..<side { try run.folder.write("\(index)", to: "models/m\(index).gguf") }
        let child = try run.folder.write(Self.child, to: "child.sh")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: child)

        let configuration = try DaemonConfiguration.load(run.folder("fettle.yaml"))
        let engine = try Engine(
            Engine.Parts(
                configurationPath: run.folder("fettle.yaml"), library: ProfileLibrary(directories: [], shipped: []),
                executable: child),
            configuration: configuration)
        let work = Task { try await engine.run() }
        let early = try await residentBytes(engine, after: side * side / 10)
        let late = try await residentBytes(engine, after: side * side)
        work.cancel()
        try await work.value
        print("resident after a tenth: \(early) B, after all \(side * side) jobs: \(late) B")
        // What SQLite and the allocator keep for good is there after a tenth; a leak of 1 kB a job would show.
        #expect(late - early < 4 << 20, "grew by \(late - early) B")
    }

    /// The real daemon on the same kind of directory, idle.
    @Test func idleItIsSmallAndQuiet() async throws {
        let run = try DaemonRun()
        let store = try JobStore(path: run.folder("state/jobs.sqlite"))
        let requests = (0..<10_000).map { index in
            JobRequest(
                key: JobKey(
                    modelDigest: String(repeating: "\(index % 10)", count: 60) + "\(index)", profileDigest: "p",
                    settingsDigest: "s"), modelPath: "/models/\(index).gguf", model: "m\(index)", profile: "p")
        }
        _ = try await store.reconcile(requests, now: Date()) { _ in "" }
        _ = try await store.reconcile([], now: Date()) { _ in "gone" }
        try run.start()
        try await run.waitForLog("ready")
        try await Task.sleep(for: .seconds(2))
        let process = try #require(run.process?.processIdentifier)
        let before = ChildWork.own(process)
        try await Task.sleep(for: .seconds(5))
        let share = (ChildWork.own(process) - before) / 5
        let resident = try Self.residentBytes("/proc/\(process)/status")
        print("idle after 10,000 jobs: \(resident) B resident, \(100 * share) % of a core")
        #expect(resident < 60_000_000)
        #expect(share < 0.01)
        #expect(try run.stop() == 0)
    }

    private func residentBytes(_ engine: Engine, after count: Int) async throws -> Int {
        for _ in 0..<60_000 {
            if try await engine.counts()[.failed] ?? 0 >= count { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await engine.counts()[.failed] ?? 0 >= count)
        return try Self.residentBytes("/proc/self/status")
    }

    private static func residentBytes(_ status: String) throws -> Int {
        let text = try String(contentsOfFile: status, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
}

extension ChildWork {
    /// Seconds of processor time that `process` itself took.
    static func own(_ process: Int32) -> Double {
        let fields =
            (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8))?
            .split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = [11, 12].reduce(0) { $0 + (fields.indices.contains($1) ? Double(fields[$1]) ?? 0 : 0) }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
