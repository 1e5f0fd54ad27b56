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

    package init(
        id: Int64, modelPath: String, model: String, modelDigest: String, profile: String, profileDigest: String,
        settingsDigest: String, state: JobState, priority: Int = 0, attempts: Int = 0, notBefore: Date? = nil,
        stage: String? = nil, fraction: Double? = nil, message: String? = nil, created: Date, started: Date? = nil,
        finished: Date? = nil, bundle: String? = nil, kl: Double? = nil, storedBytes: Int? = nil
    ) {
        self.id = id
        self.modelPath = modelPath
        self.model = model
        self.modelDigest = modelDigest
        self.profile = profile
        self.profileDigest = profileDigest
        self.settingsDigest = settingsDigest
        self.state = state
        self.priority = priority
        self.attempts = attempts
        self.notBefore = notBefore
        self.stage = stage
        self.fraction = fraction
        self.message = message
        self.created = created
        self.started = started
        self.finished = finished
        self.bundle = bundle
        self.kl = kl
        self.storedBytes = storedBytes
    }
}
