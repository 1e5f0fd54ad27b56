import Daemon
import Foundation
import Testing

/// What goes wrong around the daemon: the job says what it was, the daemon goes on, and once it is mended the work is done.
@Suite(.serialized) struct TroubleTests {
    /// Whether this process may mount a file system of its own.
    static var canMount: Bool {
        (try? Shell.run("unshare --map-root-user --mount mount -t tmpfs none /mnt").status) == 0
    }

    private func isDone(_ jobs: [Job]) -> Bool { jobs.count == 1 && jobs[0].state == .done }

    @Test(.enabled(if: canMount)) func aFullDiskForBundles() async throws {
        let run = try DaemonRun()
        try run.start(mounting: "bundles", options: "size=100k")
        try TinyModel.gguf(seed: 20).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try await run.wait("the job says what is missing") { jobs in
            jobs.first?.state == .queued && jobs.first?.message?.contains("bytes, but the disk has") == true
        }
        try run.inside("mount -o remount,size=10m '\(run.folder("bundles"))'")
        try await run.wait("the next run succeeds", until: isDone)
        #expect(try run.stop() == 0)
    }

    @Test(.enabled(if: canMount)) func aReadOnlyDirectoryOfBundles() async throws {
        let run = try DaemonRun()
        try run.start(mounting: "bundles", options: "ro")
        try TinyModel.gguf(seed: 21).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try await run.wait("the job says why") { jobs in
            jobs.first?.state == .queued && jobs.first?.message?.contains("bundles") == true
        }
        try run.inside("mount -o remount,rw '\(run.folder("bundles"))'")
        try await run.wait("the next run succeeds", until: isDone)
        #expect(try run.stop() == 0)
    }

    @Test(.enabled(if: canMount)) func aFullDiskForState() async throws {
        let run = try DaemonRun()
        try run.start(mounting: "state", options: "size=2m")
        try await run.waitForLog("ready")
        let state = run.folder("state")
        try run.inside("dd if=/dev/zero of='\(state)/filler' bs=4k count=2000 || true")
        try TinyModel.gguf(seed: 22).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try await run.waitForLog("the store refuses")
        try run.inside("rm '\(state)/filler'; mount -o remount,size=50m '\(state)'")
        try await run.waitForLog("the store works again")
        try await run.waitForLog("done job=1", seconds: 60)
        #expect(try run.stop() == 0)
    }

    @Test func aModelRemovedWhileItIsTunedAndBroughtBack() async throws {
        let run = try DaemonRun(profiles: ["one": DaemonRun.slowProfile])
        let model = run.folder("models/bard")
        try FileManager.default.copyItem(atPath: DaemonRun.bard, toPath: model)
        try run.start()
        try await run.wait("the job runs") { $0.first?.state == .running && $0.first?.stage != nil }
        try FileManager.default.removeItem(atPath: model)
        let jobs = try await run.wait("the job ends") { $0.first?.state == .cancelled }
        #expect(jobs.first?.message?.contains("removed") == true)
        try FileManager.default.copyItem(atPath: DaemonRun.bard, toPath: model)
        try await run.wait("the job goes on") { $0.count == 1 && $0[0].state == .running }
        #expect(try run.stop() == 0)
    }

    @Test func aModelOfAKindThatIsNotKnown() async throws {
        let run = try DaemonRun()
        var bytes = try TinyModel.gguf(seed: 23)
        let place = try #require(bytes.range(of: Data("general.architecture".utf8)))
        bytes.replaceSubrange(
            bytes.range(of: Data("llama".utf8), in: place.upperBound..<bytes.count) ?? place, with: Data("lloma".utf8))
        try bytes.write(to: URL(filePath: run.folder("models/odd.gguf")))
        try run.start()
        try await run.waitForLog("model unreadable")
        try TinyModel.gguf(seed: 23).write(to: URL(filePath: run.folder("models/odd.gguf")))
        try await run.wait("a good one in its place is tuned", until: isDone)
    }

    @Test func aChildThatWantsMoreMemoryThanItMay() async throws {
        let run = try DaemonRun(settings: "settle: 200 ms\nmemory-ceiling: 3 MB\n")
        try TinyModel.gguf(seed: 26).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try run.start()
        let jobs = try await run.wait("the child dies, not the daemon") { jobs in
            jobs.first?.attempts == 1 && jobs.first?.state == .queued && jobs.first?.notBefore != nil
        }
        #expect(jobs.first?.message?.contains("signal") == true, "\(jobs)")
        try run.configure(profiles: ["one"], settings: "settle: 200 ms\n")
        try await run.waitForLog("configuration reloaded")
        try await run.wait("the next run succeeds", until: isDone)
    }

    @Test func whatAUserPutInTheWayStays() async throws {
        let run = try DaemonRun()
        try run.folder.write("mine", to: "bundles/tiny@one/latest/notes.txt")
        try run.folder.write("mine", to: "bundles/other/notes.txt")
        try TinyModel.gguf(seed: 24).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try run.start()
        let jobs = try await run.wait("the model is tuned", until: isDone)
        #expect(run.files("bundles").contains("tiny@one/latest/notes.txt"))
        #expect(run.files("bundles").contains("other/notes.txt"))
        #expect(jobs.first?.bundle.map { FileManager.default.fileExists(atPath: "\($0)/bundle.json") } == true)
    }

    @Test func anInfeasibleProfileIsExplained() async throws {
        let run = try DaemonRun(profiles: ["one": DaemonRun.profile("one", storage: 5000)])
        try TinyModel.gguf(seed: 25).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try run.start()
        let jobs = try await run.wait("the job ends") { $0.first?.state == .infeasible }
        #expect(jobs.first?.message?.contains("memory.storage") == true, "\(jobs)")
        #expect(run.leftovers == [])
    }

    @Test func onlyTheNewestBundlesStay() async throws {
        let run = try DaemonRun(settings: "settle: 0 s\nretention: {bundles: 1}\n")
        let model = URL(filePath: run.folder("models/tiny.gguf"))
        for seed in 30...31 as ClosedRange<UInt64> {
            try TinyModel.gguf(seed: seed).write(to: model)
            if seed == 30 { try run.start() }
            try await run.wait("the model is tuned") { jobs in
                jobs.count == Int(seed) - 29 && jobs.allSatisfy { $0.state == .done }
            }
        }
        try run.folder.write("mine", to: "bundles/tiny@one/keep/notes.txt")
        try await run.waitForLog("removed an old bundle")
        let jobs = await run.jobs()
        #expect(jobs.map { $0.bundle == nil } == [true, false])
        let left = try FileManager.default.contentsOfDirectory(atPath: run.folder("bundles/tiny@one")).sorted()
        #expect(left == [try #require(jobs.last).key.name, "keep", "latest"].sorted())
    }
}

extension DaemonRun {
    /// Starts the daemon in a mount namespace of its own, with a tmpfs on the folder `name`.
    func start(mounting name: String, options: String) throws {
        try start(
            program: "/usr/bin/unshare",
            arguments: [
                "--map-root-user", "--mount", "/bin/sh", "-c",
                "mount -t tmpfs -o \(options) none '\(folder(name))' && exec \"$0\" \"$@\"",
            ])
    }

    /// Runs a line of shell where the daemon's mounts are.
    func inside(_ script: String) throws {
        let process = try #require(process?.processIdentifier)
        let outcome = try Shell.run(
            "nsenter --target \(process) --user --mount --preserve-credentials /bin/sh -c \"\(script)\"")
        #expect(outcome.status == 0, "\(outcome.output)")
    }
}
