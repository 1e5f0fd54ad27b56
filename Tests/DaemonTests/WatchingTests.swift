import Daemon
import Foundation
import Testing

/// What lands in a watched directory, and what becomes of it.
@Suite(.serialized) struct WatchingTests {
    private func isDone(_ count: Int) -> ([Job]) -> Bool {
        { jobs in jobs.count == count && jobs.allSatisfy { $0.state == .done } }
    }

    @Test func aModelBecomesABundleThatIsLinkedAndWhole() async throws {
        let run = try DaemonRun()
        try run.start()
        try TinyModel.gguf(seed: 1).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        let jobs = try await run.wait("the model is tuned", until: isDone(1))
        let job = try #require(jobs.first)
        let latest = run.folder("bundles/tiny@one/latest")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: latest) == job.key.name)
        #expect(job.bundle == run.folder("bundles/tiny@one/\(job.key.name)"))
        #expect((job.kl ?? 0) > 0 && (job.storedBytes ?? 0) > 0)
        let sums = try Shell.run("cd '\(latest)' && sha256sum -c --quiet SHA256SUMS")
        #expect(sums.status == 0, "\(sums.output)")
        #expect(run.leftovers == [])
        #expect(try run.stop() == 0)
    }

    @Test func whatIsNotCompleteWaits() async throws {
        let run = try DaemonRun()
        let whole = try TinyModel.gguf(seed: 2)
        try run.start()
        try whole.write(to: URL(filePath: run.folder("models/a.gguf.part")))
        try whole.write(to: URL(filePath: run.folder("models/.b.gguf")))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: run.folder("models/half.gguf")))
        try Data("GGUF".utf8 + [3, 0, 0, 0] + [UInt8](repeating: 255, count: 16)).write(
            to: URL(filePath: run.folder("models/hostile.gguf")))
        try FileManager.default.createDirectory(
            atPath: run.folder("models/directory"), withIntermediateDirectories: true)
        try await Task.sleep(for: .seconds(2.5))
        #expect(await run.jobs().isEmpty)

        // A slow download: the rest comes in pieces, each within the settle time of the one before.
        let handle = try FileHandle(forWritingTo: URL(filePath: run.folder("models/half.gguf")))
        try handle.seekToEnd()
        for piece in stride(from: whole.count / 2, to: whole.count, by: 20_000) {
            try handle.write(contentsOf: whole[piece..<min(piece + 20_000, whole.count)])
            try await Task.sleep(for: .milliseconds(100))
        }
        try handle.close()
        let jobs = try await run.wait("the download is tuned once it is whole", until: isDone(1))
        #expect(jobs.first?.model == "half")
        try FileManager.default.moveItem(
            atPath: run.folder("models/a.gguf.part"), toPath: run.folder("models/a.gguf"))
        try await Task.sleep(for: .seconds(1.5))
        #expect(await run.jobs().count == 1, "the same bytes are the same model")
    }

    @Test func aDirectoryOfShardsWaitsForTheLast() async throws {
        let run = try DaemonRun(profiles: ["one": DaemonRun.slowProfile])
        let target = run.folder("models/bard")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let index =
            #"{"metadata":{"total_size":1},"weight_map":{"model.norm.weight":"model.safetensors"}}"#
        try run.folder.write(index, to: "models/bard/model.safetensors.index.json")
        for file in ["config.json", "tokenizer.json"] {
            try FileManager.default.copyItem(atPath: "\(DaemonRun.bard)/\(file)", toPath: "\(target)/\(file)")
        }
        try run.start()
        try await Task.sleep(for: .seconds(1.5))
        #expect(await run.jobs().isEmpty)
        try FileManager.default.removeItem(atPath: "\(target)/model.safetensors.index.json")
        try FileManager.default.copyItem(
            atPath: "\(DaemonRun.bard)/model.safetensors", toPath: "\(target)/model.safetensors.part")
        try await Task.sleep(for: .seconds(1.5))
        #expect(await run.jobs().isEmpty)
        try FileManager.default.moveItem(
            atPath: "\(target)/model.safetensors.part", toPath: "\(target)/model.safetensors")
        try await run.wait("the directory is queued") { $0.count == 1 && $0[0].state == .running }
    }

    @Test func copiesRenamesAndLinksAreOneModelAndAReplacementIsAnother() async throws {
        let run = try DaemonRun()
        let model = URL(filePath: run.folder("models/first.gguf"))
        try TinyModel.gguf(seed: 3).write(to: model)
        try run.start()
        try await run.wait("the model is tuned", until: isDone(1))
        try FileManager.default.copyItem(at: model, to: URL(filePath: run.folder("models/copy.gguf")))
        try FileManager.default.linkItem(at: model, to: URL(filePath: run.folder("models/link.gguf")))
        try FileManager.default.moveItem(at: model, to: URL(filePath: run.folder("models/renamed.gguf")))
        try await Task.sleep(for: .seconds(2))
        #expect(await run.jobs().count == 1)
        try TinyModel.gguf(seed: 4).write(to: URL(filePath: run.folder("models/renamed.gguf")))
        let jobs = try await run.wait("the new content is tuned", until: isDone(2))
        // The link is the same file: either name may be the first to settle.
        #expect(jobs.first?.model == "first" && ["renamed", "link"].contains(jobs.last?.model))
    }

    @Test func aChangedProfileIsSolvedFromTheScoreStore() async throws {
        let run = try DaemonRun()
        try TinyModel.gguf(seed: 5).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try run.start()
        try await run.wait("the model is tuned", until: isDone(1))
        try run.folder.write(DaemonRun.profile("one", storage: 60_000), to: "profiles/one.yaml")
        let jobs = try await run.wait("the new profile is solved", until: isDone(2))
        #expect(Set(jobs.map(\.profileDigest)).count == 2)
        let link = try FileManager.default.destinationOfSymbolicLink(
            atPath: run.folder("bundles/tiny@one/latest"))
        #expect(link == jobs.last?.key.name)
        try FileManager.default.removeItem(atPath: run.folder("profiles/one.yaml"))
        try await run.waitForLog("profile cannot be used")
        #expect(await run.jobs().count == 2)
    }

    @Test func aRestartDoesNothingAgain() async throws {
        let run = try DaemonRun()
        try TinyModel.gguf(seed: 6).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try run.start()
        let before = try await run.wait("the model is tuned", until: isDone(1))
        #expect(try run.stop() == 0)
        try run.start()
        try await Task.sleep(for: .seconds(2))
        #expect(await run.jobs() == before)
    }
}
