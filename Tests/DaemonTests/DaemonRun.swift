import Daemon
import Foundation
import Testing

/// A daemon as a user runs it, in a folder of its own: the built binary, real files, a real database.
final class DaemonRun {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let binary = root.appending(path: ".build/release/fettle").path
    static let bard = root.appending(path: "Tests/Fixtures/bard").path

    /// A profile of few choices, so that tuning a tiny model takes a fifth of a second.
    static func profile(_ name: String, storage: Int = 80_000, weights: String = "[8, 4]") -> String {
        """
        fettle: 1
        name: \(name)
        compute: {integer: {weights: \(weights), granularity: [group], groups: [32], codebook: false, shift: false}}
        memory: {storage: \(storage) B, context: 16}
        """
    }

    /// A profile that leaves every format open: ten seconds of work on the fixture model, time to interfere with.
    static let slowProfile = "fettle: 1\nname: one\nmemory: {storage: 1600000 B, context: 128}\n"

    let folder: Folder
    private(set) var process: Process?
    private let environment: [String: String]
    /// Where in the log the last start begins.
    private var logStart = 0
    /// Opened again for each question: tests exchange the file under the daemon.
    private var storePath: String { folder("state/jobs.sqlite") }

    /// Lays out a folder with `profiles` by name; `settings` are more lines of the configuration.
    init(
        profiles: [String: String] = ["one": profile("one")], settings: String = "settle: 200 ms\n",
        environment: [String: String] = [:]
    ) throws {
        folder = try Folder()
        self.environment = environment
        for name in ["models", "bundles", "state"] {
            try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
        }
        for (name, text) in profiles { try folder.write(text, to: "profiles/\(name).yaml") }
        try configure(profiles: profiles.keys.sorted(), settings: settings)
    }

    deinit { kill(SIGKILL) }

    /// Writes the configuration.
    func configure(profiles: [String], settings: String) throws {
        let list = profiles.map { "profiles/\($0).yaml" }.joined(separator: ", ")
        try folder.write(
            "models: models/\nbundles: bundles/\nstate: state/\nprofiles: [\(list)]\n\(settings)", to: "fettle.yaml")
    }

    /// Starts the daemon, or `program` which becomes it; what it logs is appended to the file `log`.
    func start(program: String? = nil, arguments: [String] = []) throws {
        let log = folder("log")
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        logStart = Int(try handle.seekToEnd())
        let process = Process()
        process.executableURL = URL(filePath: program ?? Self.binary)
        process.arguments =
            arguments + (program == nil ? [] : [Self.binary]) + ["daemon", "--config", folder("fettle.yaml")]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardError = handle
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// Sends a signal, and for SIGKILL waits for the end.
    func kill(_ signal: Int32) {
        guard let process, process.isRunning else { return }
        Foundation.kill(process.processIdentifier, signal)
        if signal == SIGKILL { process.waitForEnd() }
    }

    /// Ends the daemon as systemd would, once it is up, and returns its exit status.
    @discardableResult func stop() throws -> Int32 {
        let process = try #require(process)
        for _ in 0..<1000 where !String(decoding: log.utf8.dropFirst(logStart), as: UTF8.self).contains("ready") {
            usleep(20_000)
        }
        kill(SIGTERM)
        process.waitForEnd()
        return process.terminationStatus
    }

    /// Everything that was logged.
    var log: String { (try? String(contentsOfFile: folder("log"), encoding: .utf8)) ?? "" }

    /// All jobs, the oldest first; none before a daemon has been up, for only one process at a time may make the database.
    func jobs() async -> [Job] {
        guard log.contains("ready"), FileManager.default.fileExists(atPath: storePath),
            let store = try? JobStore(path: storePath)
        else { return [] }
        return (try? await store.jobs(state: nil, limit: 100_000, before: nil).reversed()) ?? []
    }

    /// Waits until the jobs are as `condition` says.
    @discardableResult func wait(
        seconds: Double = 120, _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: ([Job]) -> Bool
    ) async throws -> [Job] {
        let end = ContinuousClock.now + .seconds(seconds)
        var jobs = await jobs()
        while !condition(jobs), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
            jobs = await self.jobs()
        }
        let lines = jobs.suffix(20).map { "\($0.id) \($0.model)@\($0.profile) \($0.state) \($0.message ?? "")" }
        #expect(
            condition(jobs), "\(what)\n\(lines.joined(separator: "\n"))\n\(log.suffix(3000))",
            sourceLocation: sourceLocation)
        return jobs
    }

    /// Waits until the log says so.
    func waitForLog(
        _ text: String, seconds: Double = 30, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while !log.contains(text), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
        #expect(log.contains(text), "\(log.suffix(3000))", sourceLocation: sourceLocation)
    }

    /// Paths below `directory`, relative to it, links not followed.
    func files(_ directory: String) -> [String] {
        let walk = FileManager.default.enumerator(atPath: folder(directory))
        return (walk?.allObjects as? [String] ?? []).sorted()
    }

    /// Names that only work in progress has.
    var leftovers: [String] {
        (files("bundles") + files("state")).filter { path in
            (path as NSString).lastPathComponent.hasPrefix(".") || path.hasSuffix(".partial") || path.contains("tmp")
        }
    }
}
