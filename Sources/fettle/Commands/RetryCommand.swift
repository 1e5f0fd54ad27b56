internal import ArgumentParser
internal import Daemon

/// `fettle retry JOB`: queues an ended job again.
struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Queues an ended job of the daemon again.")

    @Argument(help: "The job's number.") var job: Int64
    @OptionGroup var service: ServiceOptions
    @Flag(help: "Print JSON, as the daemon gives it.") var json = false

    func run() throws {
        let client = try service.client()
        try JobAnswer.show(try client.retry(job).id, client, json: json)
    }
}
