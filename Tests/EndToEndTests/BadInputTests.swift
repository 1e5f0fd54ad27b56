import Foundation
import Testing

/// What a stranger gets wrong: one line that names file, place and remedy, the right exit code, nothing lost.
@Suite struct BadInputTests {
    private func lines(_ outcome: Tool.Outcome) -> [Substring] {
        outcome.messages.split(separator: "\n")
    }

    @Test(arguments: [
        (["frobnicate"], Int32(2)), (["tune"], 2), (["tune", Tool.bard], 2), (["eval", Tool.bard], 2),
        (["tune", Tool.bard, "--profile", "raspbery-pi-5-4gb"], 2), (["--help"], 0), (["--version"], 0),
        (["profile", "show", "no-such-device"], 2),
    ])
    func usage(arguments: [String], status: Int32) throws {
        let run = try Tool.execute(Tool.binary, arguments)
        #expect(run.status == status, "\(arguments): \(run.messages)")
    }

    @Test func anUnknownProfileNamesTheNearest() throws {
        let run = try Tool.run("tune", Tool.bard, "--profile", "raspbery-pi-5-4gb")
        #expect(lines(run).count == 1)
        #expect(run.messages.contains("raspberry-pi-5-4gb"))
    }

    @Test func aTypoInAProfileNamesItsPlace() throws {
        let scratch = try Scratch()
        let profile = try scratch.write("fettle: 1\nname: typo\nmemory:\n  budget: 900 MQ\n", to: "typo.yaml")
        let run = try Tool.run("tune", Tool.bard, "--profile", profile)
        #expect(run.status == 4)
        #expect(lines(run).count == 1)
        #expect(run.messages.contains("typo.yaml:4:11: memory.budget: \"900 MQ\""), "\(run.messages)")
    }

    @Test func aHeaderLongerThanTheFile() throws {
        let scratch = try Scratch()
        let model = try copyOfBard(in: scratch)
        var length = UInt64(50_000_000).littleEndian
        let bytes = Data(bytes: &length, count: 8) + Data("{}".utf8)
        try bytes.write(to: URL(filePath: "\(model)/model.safetensors"))
        let run = try Tool.run("inspect", model)
        #expect(run.status == 4)
        #expect(lines(run).count == 1)
        #expect(run.messages.contains("model.safetensors"))
    }

    @Test func aMissingShard() throws {
        let scratch = try Scratch()
        let model = try copyOfBard(in: scratch)
        try FileManager.default.removeItem(atPath: "\(model)/model.safetensors")
        let index =
            #"{"metadata":{"total_size":1},"weight_map":{"model.norm.weight":"model-00001-of-00002.safetensors"}}"#
        try index.write(toFile: "\(model)/model.safetensors.index.json", atomically: true, encoding: .utf8)
        let run = try Tool.run("inspect", model)
        #expect(run.status == 4)
        #expect(lines(run).count == 1)
        #expect(run.messages.contains("model-00001-of-00002.safetensors"), "\(run.messages)")
    }

    @Test func aTruncatedGGUF() throws {
        let scratch = try Scratch()
        let profile = try scratch.write(TuneTests.llamaProfile, to: "p.yaml")
        let made = try Tool.run(
            "tune", Tool.bard, "--profile", profile, "--out", scratch.path("out"), "--store", scratch.path("store"))
        #expect(made.status == 0, "\(made.messages)")
        let whole = try Data(contentsOf: URL(filePath: scratch.path("out/bard@small-gguf/model.gguf")))
        try whole.prefix(whole.count - 1000).write(to: URL(filePath: scratch.path("cut.gguf")))
        let run = try Tool.run("inspect", scratch.path("cut.gguf"))
        #expect(run.status == 4)
        #expect(lines(run).count == 1)
        #expect(run.messages.contains("truncated"), "\(run.messages)")
    }

    /// A bundle that is there survives a disk that fills up while it is made again.
    @Test(.enabled(if: canMount)) func aFullDisk() throws {
        let scratch = try Scratch()
        let profile = try scratch.write(TuneTests.fettleProfile, to: "small.yaml")
        let disk = scratch.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let tune =
            "'\(Tool.binary)' tune '\(Tool.bard)' --profile '\(profile)' --out '\(disk)' --store '\(scratch.path("store"))'"
        let script = """
            mount -t tmpfs -o size=2500k none '\(disk)' || exit 99
            \(tune) >/dev/null 2>&1 || exit 98
            before=$(cat '\(disk)'/bard@small/SHA256SUMS)
            \(tune) --seed 9
            status=$?
            [ "$before" = "$(cat '\(disk)'/bard@small/SHA256SUMS)" ] || exit 97
            [ "$(ls -A '\(disk)')" = "bard@small" ] || exit 96
            exit $status
            """
        let run = try Tool.execute("/usr/bin/unshare", ["--map-root-user", "--mount", "sh", "-c", script])
        #expect(run.status == 1, "\(run.messages)")
        #expect(run.messages.contains("bard@small"))
    }

    static var canMount: Bool {
        let outcome = try? Tool.execute(
            "/usr/bin/unshare", ["--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"])
        return outcome?.status == 0
    }

    private func copyOfBard(in scratch: Scratch) throws -> String {
        let copy = scratch.path("bard")
        try FileManager.default.copyItem(atPath: Tool.bard, toPath: copy)
        return copy
    }
}
