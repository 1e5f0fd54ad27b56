/// What can happen to a job.
package enum JobEvent: Sendable, Equatable {
    /// A worker took it.
    case begun
    /// Its bundle is in place and was read back.
    case finished(FinishedBundle)
    /// No plan meets the profile's goals.
    case infeasible(String)
    /// Model or profile are not what they should be: running it again cannot help.
    case refused(String)
    /// The child crashed, or the system failed it: running it again may help.
    case broke(String)
    /// The daemon stops or was killed; the job is not to blame.
    case interrupted
    /// A user, or the removal of model or profile, ends it.
    case cancelled(String)
    /// A user wants it again.
    case retried

    /// A bundle that was read back.
    package struct FinishedBundle: Sendable, Equatable {
        /// Its directory.
        package var path: String
        /// Nats per token.
        package var kl: Double
        package var storedBytes: Int

        package init(path: String, kl: Double, storedBytes: Int) {
            self.path = path
            self.kl = kl
            self.storedBytes = storedBytes
        }
    }
}
