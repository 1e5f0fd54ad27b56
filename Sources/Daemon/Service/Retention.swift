internal import Foundation
internal import Logging

/// Forgets finished jobs and old bundles as the configuration says.
struct Retention: Sendable {
    let configuration: DaemonConfiguration
    let store: JobStore
    let logger: Logger

    /// Cleans once.
    ///
    /// - Parameter wanted: What is asked for now: the jobs of these stay however old they are, or they would be done again.
    ///   Nil where that is not known: then all stay.
    func clean(wanted: Set<JobKey>?, now: Date) async {
        do throws(DaemonError) {
            if let most = configuration.retention.bundles { try await removeBundles(beyond: most) }
            if let wanted, let seconds = configuration.retention.jobs {
                for id in try await store.forgetJobs(finishedBefore: now - seconds, except: wanted) {
                    try? FileManager.default.removeItem(atPath: "\(configuration.state)/logs/\(id).log")
                }
            }
        } catch {
            logger.warning("retention", metadata: ["reason": "\(error)"])
        }
    }

    /// Removes all but the newest bundles of each model and profile: directories that a job of the store made, at the place
    /// where it made them, that still are what it made.
    private func removeBundles(beyond most: Int) async throws(DaemonError) {
        for job in try await store.bundles(beyond: most) {
            let place = BundlePlace(root: configuration.bundles, job: job)
            guard let path = job.bundle, path == place.destination, place.isOurs(path), !place.isLatest else {
                continue
            }
            do {
                try place.remove()
                try await store.forgetBundle(of: job.id)
                logger.info("removed an old bundle", metadata: ["path": "\(path)"])
            } catch {
                logger.warning("an old bundle stays", metadata: ["path": "\(path)", "reason": "\(error)"])
            }
        }
    }
}
