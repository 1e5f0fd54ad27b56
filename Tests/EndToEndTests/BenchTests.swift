import Foundation
import Testing

/// Speed, and what memory a bundle takes, as the commands tell it.
@Suite struct BenchTests {
    @Test func benchTellsSpeedsAndFractionsOfTheMachinesLimits() throws {
        let run = try Tool.run(
            "bench", Tool.bard, "--uniform", "u4g32", "--prefill", "32", "--decode", "8", "--repeat", "1", "--threads",
            "2", "--json")
        #expect(run.status == 0, "\(run.messages)")
        let json = try run.json()
        let positive = [
            "prefill_tokens_per_second", "decode_tokens_per_second", "read_bandwidth", "decode_bandwidth_fraction",
            "int8_peak", "prefill_peak_fraction",
        ]
        for key in positive { #expect(try #require(json[key] as? Double, "\(key)") > 0) }
        #expect(try #require(json["prefill_peak_fraction"] as? Double) < 1.2)
        #expect(json["threads"] as? Int == 2)
        let formats = try #require(json["formats"] as? [[String: Any]])
        #expect(formats.map { $0["spec"] as? String } == ["u4g32"])
        // The matrices of Fixtures/bard/config.json: the embedding, and four layers of seven.
        #expect(formats.first?["weights"] as? Int == 1024 * 256 + 4 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512))
    }

    /// What is measured is a profile without a mistake, and whose budget is half of the memory that the system tells of.
    @Test func thisMachineBecomesAProfile() throws {
        let scratch = try Scratch()
        let path = scratch.path("machine.yaml")
        let run = try Tool.run("profile", "measure", "--threads", "2", "--out", path)
        #expect(run.status == 0, "\(run.messages)")
        let checked = try Tool.run("profile", "check", path)
        #expect(checked.status == 0, "\(checked.messages)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let half = ProcessInfo.processInfo.physicalMemory / 2 / 1_048_576
        #expect(text.contains("memory: {budget: \(half) MiB, bandwidth: "), "\(text)")
        #expect(text.contains("- {format: u4g32, activation: int8g32, decode: "), "\(text)")
    }

    @Test func benchRefusesAFormatThatIsNoGrid() throws {
        let run = try Tool.run("bench", Tool.bard, "--uniform", "q4_0", "--prefill", "8", "--decode", "1")
        #expect(run.status == 2, "\(run.messages)")
    }

    /// Weights are read to their places: never a second copy of them.
    @Test func aBundleLoadsWithoutASecondCopy() throws {
        let scratch = try Scratch()
        let profile = try scratch.write(TuneTests.fettleProfile, to: "small.yaml")
        let made = try Tool.run(
            "tune", Tool.bard, "--profile", profile, "--uniform", "u4g32", "--out", scratch.path("out"), "--store",
            scratch.path("store"))
        #expect(made.status == 0, "\(made.messages)")
        let run = try Tool.run(
            "measure-resident", scratch.path("out/bard@small"), "--loading", "--threads", "1", "--parent",
            String(getpid()))
        #expect(run.status == 0, "\(run.messages)")
        let excess = try #require(Int(run.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        // The system's counters lag by up to 128 KiB for each of two processors; a second copy would be the weights' 1,500,000
        // bytes more.
        #expect(excess <= 262_144)
    }

    /// A measurement that fails is not a goal that is met: the program has no file that a child could be started from.
    @Test func aFailedMeasurementIsSaidAndCountsAsNotMet() throws {
        let scratch = try Scratch()
        let profile = try scratch.write(TuneTests.fettleProfile, to: "small.yaml")
        let program = scratch.path("fettle")
        try FileManager.default.copyItem(atPath: Tool.binary, toPath: program)
        let removed = "exec 3<'\(program)'; rm '\(program)'; exec /proc/self/fd/3 \"$@\""
        let made = try Tool.execute(
            "/bin/sh",
            [
                "-c", removed, "sh", "tune", Tool.bard, "--profile", profile, "--uniform", "u4g32", "--out",
                scratch.path("out"), "--store", scratch.path("store"),
            ])
        #expect(made.status == 1, "\(made.messages)")
        #expect(made.output.contains("NOT MEASURED"), "\(made.output)")
        #expect(made.output.contains("memory.budget is not measured: "), "\(made.output)")
        // The bundle is there, and where measuring works it keeps its promise.
        let verified = try Tool.run("verify", scratch.path("out/bard@small"))
        #expect(verified.status == 0, "\(verified.messages)\(verified.output)")
    }
}
