/// A job as the daemon's interface tells it.
package struct RemoteJob: Sendable, Equatable, Decodable {
    package var id: Int64
    package var model: String
    package var profile: String
    package var state: JobState
    package var priority: Int
    package var attempts: Int
    package var stage: String?
    package var fraction: Double?
    /// Seconds that the stage still takes.
    package var secondsLeft: Double?
    package var message: String?
    /// Times as ISO 8601.
    package var created: String
    package var started: String?
    package var finished: String?
    /// The bundle's name in /v1/bundles.
    package var bundle: String?
    package var kl: Double?
    package var storedBytes: Int?

    private enum CodingKeys: String, CodingKey {
        case id, model, profile, state, priority, attempts, stage, fraction, message, created, started, finished,
            bundle, kl
        case secondsLeft = "seconds_left"
        case storedBytes = "stored_bytes"
    }

    /// A page of the list of jobs.
    package struct Page: Sendable, Equatable, Decodable {
        package var jobs: [RemoteJob]
        /// Jobs by state, all of them.
        package var counts: [String: Int]
        /// Where the next page begins; nil on the last.
        package var next: Int64?
    }
}
