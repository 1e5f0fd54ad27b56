internal import ArgumentParser
internal import Daemon

/// `fettle cancel JOB`: ends a job that waits or runs.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ends a job of the daemon; what was measured for it is kept.")

    @Argument(help: "The job's number.") var job: Int64
    @OptionGroup var service: ServiceOptions
    @Flag(help: "Print JSON, as the daemon gives it.") var json = false

    func run() throws {
        let client = try service.client()
        try JobAnswer.show(try client.cancel(job).id, client, json: json)
    }
}
