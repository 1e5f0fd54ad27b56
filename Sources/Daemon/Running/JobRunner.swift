internal import Bundles
@preconcurrency internal import Dispatch
internal import Foundation
internal import Tuning

/// Runs one job: a child process that tunes, then the way of its bundle from work in progress to its place.
struct JobRunner: Sendable {
    let job: Job
    let configuration: DaemonConfiguration
    /// Bytes that the work may need on the disk of the bundles.
    let neededBytes: Int
    let child: ChildProcess
    let log: JobLog

    /// Bytes that a bundle takes besides its weights.
    private static let margin = 2 << 20

    private var place: BundlePlace { BundlePlace(root: configuration.bundles, job: job) }

    /// What `fettle` is called with for `job`.
    static func arguments(_ job: Job, profile: String, configuration: DaemonConfiguration) -> [String] {
        let place = BundlePlace(root: configuration.bundles, job: job)
        var arguments = [
            "tune", job.modelPath, "--profile", profile, "--out", place.work, "--store", configuration.state,
            "--threads", String(configuration.threads), "--json", "--worker-of", String(getpid()),
        ]
        if let ceiling = configuration.memoryCeiling { arguments += ["--memory-ceiling", String(ceiling)] }
        if let calibration = configuration.calibration { arguments += ["--calibration", calibration] }
        if let limit = configuration.timeLimit { arguments += ["--time-limit", "\(limit) s"] }
        return arguments
    }

    /// Runs the job to an event; never throws, since whatever goes wrong is the job's event.
    func run() async -> JobEvent {
        defer { log.finish() }
        do {
            // A daemon that was killed between the bundle's rename and the database has left the work done.
            if let manifest = await checked(place.destination) { return try publish(manifest) }
            if await checked(place.staged) == nil {
                try requireSpace()
                if let event = try await tune() { return event }
            }
            guard let manifest = await checked(place.staged) else { return await refusal(of: place.staged) }
            try place.promote()
            return try publish(manifest)
        } catch {
            return .broke("\(error)")
        }
    }

    /// Runs the child; nil where it made a bundle.
    private func tune() async throws(DaemonError) -> JobEvent? {
        let log = log
        // The limit cuts optional work short; a child that goes on long after it hangs.
        let hardLimit = configuration.timeLimit.map { Duration.seconds(2 * $0 + 60) }
        let (end, output) = try await child.run(limit: hardLimit) { log.add($0) }
        let message = log.messages.last ?? "it said nothing"
        switch end {
        case .exited(0): return nil
        case .exited(3): return .infeasible(TuneAnswer.missedGoals(output) ?? message)
        case .exited(2), .exited(4): return .refused(message)
        case .exited(5) where child.isStopped, .signalled where child.isStopped: return .interrupted
        case .exited(5) where child.isOvertime, .signalled where child.isOvertime:
            return .broke("ran for longer than twice the time limit and a minute, and was stopped")
        case .exited(1): return .broke(message)
        case .exited(let status): return .broke("the child ended with \(status): \(message)")
        case .signalled(let signal):
            let hint = signal == SIGKILL ? " (out of memory?)" : ""
            return .broke("the child was ended by signal \(signal)\(hint): \(message)")
        }
    }

    /// The manifest of the bundle at `path` where it is whole and the job's; read on a thread that may wait for the disk.
    private func checked(_ path: String) async -> BundleManifest? {
        let place = place
        return await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async { continuation.resume(returning: try? place.check(path)) }
        }
    }

    private func refusal(of path: String) async -> JobEvent {
        do {
            _ = try place.check(path)
            return .broke("\(path): was not whole when it was read back")
        } catch {
            place.clear()
            return .broke("\(error)")
        }
    }

    private func publish(_ manifest: BundleManifest) throws(DaemonError) -> JobEvent {
        try place.link()
        place.clear()
        let weights = manifest.profile.runtime == "llama.cpp" ? "model.gguf" : "model.safetensors"
        let stored = FileStatus(path: "\(place.destination)/\(weights)")?.size ?? 0
        return .finished(
            JobEvent.FinishedBundle(path: place.destination, kl: manifest.quality.kl, storedBytes: stored))
    }

    /// Refuses to begin what the disk has no room for.
    private func requireSpace() throws(DaemonError) {
        do {
            try FileManager.default.createDirectory(atPath: place.work, withIntermediateDirectories: true)
        } catch {
            throw DaemonError(.system, place: place.work, "cannot be made: \(error.localizedDescription)")
        }
        var status = statvfs()
        guard statvfs(place.work, &status) == 0 else { return }
        let (free, overflow) = Int(clamping: UInt64(status.f_bavail)).multipliedReportingOverflow(
            by: Int(status.f_frsize))
        let needed = neededBytes + Self.margin
        guard !overflow, free < needed else { return }
        throw DaemonError(
            .system, place: configuration.bundles,
            "the work may need \(needed) bytes, but the disk has \(free) left; free some")
    }
}
