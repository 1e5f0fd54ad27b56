internal import ArgumentParser
internal import Daemon

/// How the daemon calls its children; not for people.
struct WorkerOptions: ParsableArguments {
    @Option(help: .hidden) var workerOf: Int32?
    @Option(help: .hidden) var memoryCeiling: Int?

    /// Steps back behind everything else where this process is a worker.
    func enter() {
        guard let workerOf else { return }
        WorkerProcess.enter(parent: workerOf, memoryCeiling: memoryCeiling)
    }
}
