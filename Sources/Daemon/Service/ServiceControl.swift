package import Foundation

/// What the HTTP interface may see and do of the running service. The one door between requests and the engine.
package protocol ServiceControl: Sendable {
    /// Jobs, newest first, at most `limit`, below `before` where given.
    func jobs(state: JobState?, limit: Int, before: Int64?) async throws -> [Job]
    func job(_ id: Int64) async throws -> Job?
    /// Jobs by state.
    func counts() async throws -> [JobState: Int]
    /// Queues a watched model for a configured profile, or returns the job that exists. `model` and `profile` are names out
    /// of `models()` and `profiles()`, never paths.
    func submit(model: String, profile: String, priority: Int) async throws(ServiceControlError) -> Job
    func cancel(_ id: Int64) async throws(ServiceControlError) -> Job
    /// Queues a final job again, with its attempts forgotten.
    func retry(_ id: Int64) async throws(ServiceControlError) -> Job
    /// Every change of every job (or of one), from now on; the newest are kept for a slow reader, older ones dropped.
    func events(job: Int64?) async -> AsyncStream<Job>
    /// What the child of a job wrote to stderr lately, oldest first.
    func log(_ id: Int64) async throws -> [String]
    func models() async -> [WatchedModel]
    func profiles() async -> [WatchedProfile]
    /// How long stages took that finished since the start, by name.
    func stageDurations() async -> [String: DurationHistogram]
    /// Whether scan, store and scheduler are up (readiness), and when the job loop last beat.
    func isReady() async -> Bool
    func heartbeat() async -> Date
}

/// Why a change was refused.
package enum ServiceControlError: Error, Sendable, Equatable {
    case notFound(String)
    case conflict(String)
    case unavailable(String)
}

/// A model in a watched directory.
package struct WatchedModel: Sendable, Equatable, Codable {
    package enum State: String, Sendable, Codable { case settling, incomplete, unreadable, ready }
    package var name: String
    package var path: String
    package var state: State
    /// Why it is not ready.
    package var reason: String?
    package var bytes: Int
    package var digest: String?
}

/// A profile that models are tuned for.
package struct WatchedProfile: Sendable, Equatable, Codable {
    package var name: String
    package var source: String
    package var digest: String?
    /// Why it cannot be used.
    package var error: String?
}
