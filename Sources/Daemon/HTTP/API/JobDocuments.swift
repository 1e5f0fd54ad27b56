internal import Foundation
internal import NIOCore
internal import Synchronization

/// Makes documents of jobs and remembers when each running stage began, which a job does not say.
final class JobDocuments: Sendable {
    private struct Stage {
        var name: String
        var fraction: Double
        var since: Date
    }

    private let stages = Mutex<[Int64: Stage]>([:])
    private let bundles: String
    private let now: @Sendable () -> Date

    /// - Parameter bundles: The directory of bundles: a job's bundle is named by its path in it.
    init(bundles: String, now: @escaping @Sendable () -> Date = { Date() }) {
        self.bundles = bundles
        self.now = now
    }

    /// The document of `job` as it stands now.
    func document(_ job: Job) -> JobDocument {
        JobDocument(
            job: job, bundle: job.bundle.map { BundleCatalog.name(of: $0, in: bundles) }, secondsLeft: left(job))
    }

    /// Seconds that the stage of `job` still takes if it goes on at its pace so far.
    private func left(_ job: Job) -> Double? {
        guard job.state == .running, let name = job.stage, let fraction = job.fraction else {
            stages.withLock { $0[job.id] = nil }
            return nil
        }
        let now = now()
        let began = stages.withLock { stages in
            if let known = stages[job.id], known.name == name, known.fraction <= fraction { return known }
            let stage = Stage(name: name, fraction: fraction, since: now)
            stages[job.id] = stage
            return stage
        }
        let done = fraction - began.fraction
        let seconds = now.timeIntervalSince(began.since)
        guard done > 0.01, seconds > 1 else { return nil }
        return (seconds * (1 - fraction) / done).rounded()
    }
}
