internal import ArgumentParser
internal import Daemon
internal import Foundation

/// `fettle status [JOB]`: the daemon's jobs, or one of them with the verdicts of its bundle.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the daemon's jobs, or one job with its verdicts.")

    @Argument(help: "A job's number.") var job: Int64?
    @Option(help: "Only jobs in this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).")
    var state: String?
    @Option(help: "At most so many jobs.") var limit = 20
    @OptionGroup var service: ServiceOptions
    @Flag(help: "Print JSON, as the daemon gives it.") var json = false

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000.") }
        guard state == nil || wanted != nil else {
            throw ValidationError(
                "--state must be one of \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
    }

    func run() throws {
        let client = try service.client()
        if json {
            let path = job.map { "/v1/jobs/\($0)" } ?? "/v1/jobs?limit=\(limit)" + (state.map { "&state=\($0)" } ?? "")
            print(String(decoding: try client.get(path).body, as: UTF8.self))
        } else if let job {
            let job = try client.job(job)
            print(JobDisplay.details(job, job.bundle.flatMap { try? client.manifest($0) }))
        } else {
            let page = try client.jobs(state: wanted, limit: limit)
            print(JobState.allCases.map { "\(page.counts[$0.rawValue] ?? 0) \($0.rawValue)" }.joined(separator: ", "))
            if !page.jobs.isEmpty { print(JobDisplay.table(page.jobs)) }
        }
    }

    private var wanted: JobState? { state.flatMap(JobState.init) }
}
