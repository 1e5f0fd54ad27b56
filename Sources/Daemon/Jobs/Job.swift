package import Foundation

/// One (model, profile) pair to tune, as the job store keeps it. Unique per (model digest, profile digest, settings digest).
package struct Job: Sendable, Equatable, Codable, Identifiable {
    package var id: Int64
    /// The model's path, as the watcher saw it, and the name that its bundles bear.
    package var modelPath: String
    package var model: String
    /// SHA-256, lower-case hexadecimal.
    package var modelDigest: String
    package var profile: String
    package var profileDigest: String
    package var settingsDigest: String
    package var state: JobState
    /// Higher runs first; jobs of equal priority in the order of their ids.
    package var priority: Int
    /// Runs begun so far.
    package var attempts: Int
    /// Not run before this time (back-off); nil is at once.
    package var notBefore: Date?
    /// What the child process last said: stage, its done fraction (0 to 1), a line for people.
    package var stage: String?
    package var fraction: Double?
    package var message: String?
    package var created: Date
    package var started: Date?
    package var finished: Date?
    /// The bundle's directory, once `done`.
    package var bundle: String?
    /// KL in nats per token and stored bytes of the bundle, once `done`.
    package var kl: Double?
    package var storedBytes: Int?
}
