package import DeviceProfiles

/// What the daemon watches, where it writes and how much of the machine it may take: one YAML file.
///
/// Times are seconds, sizes bytes. Paths are as the process can open them: relative ones in the file start at the
/// directory of the file.
package struct DaemonConfiguration: Sendable, Equatable {
    /// The directories of models; each model is a file or a directory in one of them.
    package var models: [String]
    /// Where bundles are written.
    package var bundles: String
    /// SQLite, lock, score store, work in progress.
    package var state: String
    /// Names of profiles, or paths.
    package var profiles: [String]
    /// A text file to calibrate on; nil lets the model write its own text.
    package var calibration: String?
    /// How long a model must not change before it is taken.
    package var settle: Double
    /// Jobs at the same time.
    package var workers: Int
    /// Threads of each job.
    package var threads: Int
    /// The cap on a job's search; nil is no cap.
    package var timeLimit: Double?
    /// The most memory that a job may take; nil is no limit.
    package var memoryCeiling: Int?
    package var retention: Retention
    package var log: Log
    /// Nil serves nothing.
    package var http: HTTP?
    /// Where each value is written, by key path such as `http.listen`.
    package var places: [String: Place]

    /// How long finished work is kept, for each model and profile.
    package struct Retention: Sendable, Equatable {
        /// Seconds that finished jobs stay in the list; nil keeps them.
        package var jobs: Double?
        /// Bundles that stay on disk; nil keeps all.
        package var bundles: Int?
    }

    /// What is logged and how.
    package struct Log: Sendable, Equatable {
        package enum Level: String, Sendable, CaseIterable { case debug, info, warning, error }
        package enum Format: String, Sendable, CaseIterable { case text, json }
        package var level: Level
        package var format: Format
    }

    /// Where HTTP is served.
    package struct HTTP: Sendable, Equatable {
        package var listen: ListenAddress
        /// The file of the bearer token; nil refuses changes.
        package var tokenFile: String?
    }
}
