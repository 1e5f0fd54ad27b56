internal import ArgumentParser
internal import Daemon
internal import Foundation

/// `fettle logs JOB`: what the job's process wrote.
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Prints what a job of the daemon wrote lately.")

    @Argument(help: "The job's number.") var job: Int64
    @Flag(name: .shortAndLong, help: "Go on until the job has ended; the exit code is that of tune.") var follow = false
    @OptionGroup var service: ServiceOptions
    @Flag(help: "Print JSON: an object for each line.") var json = false

    func run() throws {
        let client = try service.client()
        guard follow else {
            for line in try client.log(job) { try show(line) }
            return
        }
        var display = ProgressDisplay(json: json)
        var shown: [String] = []
        let ended = try client.follow(job) { job in
            let lines = try client.log(job.id)
            let fresh = Self.news(in: lines, after: shown)
            if !fresh.isEmpty { display.finish() }
            for line in fresh { try show(line) }
            shown = lines
            guard let stage = job.stage, let fraction = job.fraction, !job.state.isFinal else { return }
            display.show(stage: stage, fraction: fraction, detail: "")
        }
        display.finish()
        try JobDisplay.exit(ended)
    }

    private func show(_ line: String) throws {
        guard json else { return print(JobDisplay.plain(line)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        print(String(decoding: try encoder.encode(["line": line]), as: UTF8.self))
    }

    /// The lines of `lines` that `shown` did not have: the daemon keeps the last ones only, so that what was shown may have
    /// lost its beginning.
    private static func news(in lines: [String], after shown: [String]) -> ArraySlice<String> {
        for lost in 0...shown.count where lines.starts(with: shown[lost...]) { return lines[(shown.count - lost)...] }
        return lines[...]
    }
}
