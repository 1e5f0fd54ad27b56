internal import ArgumentParser
internal import Daemon
internal import Foundation

/// `fettle submit MODEL --profile NAME`: queues a job.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Queues a watched model for one of the daemon's profiles.",
        discussion: "Where such a job is there already, it is the one that is meant: retry it to run it again.")

    @Argument(help: "A model's name, as the daemon lists it.") var model: String
    @Option(help: ArgumentHelp("A profile of the daemon's configuration.", valueName: "name")) var profile: String
    @Option(help: "Higher runs first.") var priority = 0
    @Flag(help: "Wait until the job has ended; the exit code is that of tune.") var wait = false
    @OptionGroup var service: ServiceOptions
    @Flag(help: "Print JSON, as the daemon gives it.") var json = false

    func run() throws {
        let client = try service.client()
        var job = try client.submit(model: model, profile: profile, priority: priority)
        if wait {
            var display = ProgressDisplay(json: json)
            job = try client.follow(job.id) { job in
                guard let stage = job.stage, let fraction = job.fraction else { return }
                display.show(stage: stage, fraction: fraction, detail: "")
            }
            display.finish()
        }
        try JobAnswer.show(job.id, client, json: json)
        if wait { try JobDisplay.exit(job) }
    }
}

/// What `submit`, `cancel` and `retry` print: the job as it is now.
enum JobAnswer {
    static func show(_ id: Int64, _ client: DaemonClient, json: Bool) throws {
        if json {
            print(String(decoding: try client.get("/v1/jobs/\(id)").body, as: UTF8.self))
        } else {
            let job = try client.job(id)
            print(JobDisplay.details(job, job.bundle.flatMap { try? client.manifest($0) }))
        }
    }
}
