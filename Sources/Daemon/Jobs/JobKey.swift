internal import Compute

/// What makes a job the same job: the content of model and profile, and the settings that decide the bundle's bytes.
package struct JobKey: Sendable, Hashable {
    package var modelDigest: String
    package var profileDigest: String
    package var settingsDigest: String

    package init(modelDigest: String, profileDigest: String, settingsDigest: String) {
        self.modelDigest = modelDigest
        self.profileDigest = profileDigest
        self.settingsDigest = settingsDigest
    }

    /// A short name for the bundle that the job makes: 16 hexadecimal digits of the SHA-256 over the three digests.
    package var name: String {
        let hash = SHA256()
        for part in [modelDigest, profileDigest, settingsDigest] { hash.update(Array(part.utf8) + [0]) }
        return String(hash.hexadecimal().prefix(16))
    }
}

/// A job to be: what is wanted, before the store has given it a number.
package struct JobRequest: Sendable, Equatable {
    package var key: JobKey
    package var modelPath: String
    /// The name that its bundles bear.
    package var model: String
    package var profile: String

    package init(key: JobKey, modelPath: String, model: String, profile: String) {
        self.key = key
        self.modelPath = modelPath
        self.model = model
        self.profile = profile
    }
}

extension Job {
    /// What makes it this job.
    package var key: JobKey {
        JobKey(modelDigest: modelDigest, profileDigest: profileDigest, settingsDigest: settingsDigest)
    }
}
