/// Where a job stands.
package enum JobState: String, Sendable, Codable, CaseIterable {
    /// Waits for a worker, or for the end of a back-off.
    case queued
    /// A child process works on it.
    case running
    /// Its bundle is in place and was read back.
    case done
    /// It failed, and no retry is left; `Job.message` says why.
    case failed
    /// No plan of the model meets the profile's goals; `Job.message` says which conflict.
    case infeasible
    /// A user, or the removal of its model, ended it.
    case cancelled

    /// Whether nothing more happens to the job by itself.
    package var isFinal: Bool {
        switch self {
        case .queued, .running: false
        case .done, .failed, .infeasible, .cancelled: true
        }
    }
}
