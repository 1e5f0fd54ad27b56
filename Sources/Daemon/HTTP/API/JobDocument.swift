internal import Foundation

/// A job as the interface shows it: the names of JSON, the bundle by its name, how long its stage still takes.
struct JobDocument: Sendable, Encodable {
    let job: Job
    /// Name of the bundle in /v1/bundles.
    let bundle: String?
    /// Seconds that the running stage still takes, by its own pace; nil where that cannot be told yet.
    let secondsLeft: Double?

    private enum Keys: String, CodingKey {
        case id, model, profile, state, priority, attempts, stage, fraction, message, created, started, finished,
            bundle, kl
        case modelDigest = "model_digest"
        case profileDigest = "profile_digest"
        case settingsDigest = "settings_digest"
        case notBefore = "not_before"
        case secondsLeft = "seconds_left"
        case storedBytes = "stored_bytes"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(job.id, forKey: .id)
        try container.encode(job.model, forKey: .model)
        try container.encode(job.modelDigest, forKey: .modelDigest)
        try container.encode(job.profile, forKey: .profile)
        try container.encode(job.profileDigest, forKey: .profileDigest)
        try container.encode(job.settingsDigest, forKey: .settingsDigest)
        try container.encode(job.state.rawValue, forKey: .state)
        try container.encode(job.priority, forKey: .priority)
        try container.encode(job.attempts, forKey: .attempts)
        try container.encodeIfPresent(job.notBefore, forKey: .notBefore)
        try container.encodeIfPresent(job.stage, forKey: .stage)
        try container.encodeIfPresent(job.fraction, forKey: .fraction)
        try container.encodeIfPresent(secondsLeft, forKey: .secondsLeft)
        try container.encodeIfPresent(job.message, forKey: .message)
        try container.encode(job.created, forKey: .created)
        try container.encodeIfPresent(job.started, forKey: .started)
        try container.encodeIfPresent(job.finished, forKey: .finished)
        try container.encodeIfPresent(bundle, forKey: .bundle)
        try container.encodeIfPresent(job.kl, forKey: .kl)
        try container.encodeIfPresent(job.storedBytes, forKey: .storedBytes)
    }
}
