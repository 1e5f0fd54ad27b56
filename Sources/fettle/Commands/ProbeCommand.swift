internal import ArgumentParser
internal import Daemon
internal import Foundation
internal import ModelFiles

/// `fettle probe`: opens a model with every check and prints its digest. The daemon's eyes; not for people, who have
/// `fettle inspect`.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Reads a model for the daemon.", shouldDisplay: false)

    @Argument(help: "A GGUF file or a Hugging Face directory.") var model: String
    @OptionGroup var worker: WorkerOptions

    func run() throws {
        worker.enter()
        try Console.json(answer)
    }

    private var answer: ProbeAnswer {
        do {
            let opened = try Model.open(model)
            return ProbeAnswer(state: .ready, name: opened.name, digest: opened.digest)
        } catch {
            // A file that cannot be read at all, or holds what Fettle does not know, will not become better by waiting.
            let isFinal = error.code == .unsupported || access(error.file, F_OK) == 0 && access(error.file, R_OK) != 0
            return ProbeAnswer(state: isFinal ? .unreadable : .incomplete, reason: "\(error)")
        }
    }
}
