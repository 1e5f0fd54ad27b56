package import DeviceProfiles

extension DaemonConfiguration {
    /// The table of every key of the file.
    package static let fields: [Field] = [
        Field(
            "models", .oneOrMore(.text(.any)), isRequired: true,
            "Directories to watch; each model is a file or directory."),
        Field("bundles", .text(.any), isRequired: true, "Where bundles are written."),
        Field("state", .text(.any), isRequired: true, "Database, lock, score store and work in progress."),
        Field("profiles", .oneOrMore(.text(.any)), isRequired: true, "Names of profiles, or paths of profile files."),
        Field("calibration", .text(.any), "A text file to calibrate on; default is text that the model writes."),
        Field(
            "settle", .quantity(.time, orZero: true),
            "How long a model must not change before it is taken; default 5 s."),
        Field("workers", .integer(1...64), "Jobs at the same time; default 1."),
        Field("threads", .integer(1...1024), "Threads of each job; default 1."),
        Field("time-limit", .quantity(.time), "The cap on each job's search; default none."),
        Field("memory-ceiling", .quantity(.size), "The most memory that a job may take; default no limit."),
        Field(
            "retention",
            .map([
                Field("jobs", .quantity(.time), "How long finished jobs are listed; default for ever."),
                Field("bundles", .integer(1...1_000_000), "Bundles kept for each model and profile; default all."),
            ]), "How long finished work is kept."),
        Field(
            "log",
            .map([
                Field(
                    "level", .word(Log.Level.allCases.map(\.rawValue)), "The least level that is logged; default info."),
                Field("format", .word(Log.Format.allCases.map(\.rawValue)), "text for people, json for machines."),
            ]), "What is logged and how."),
        Field(
            "http",
            .map([
                Field("listen", .text(address), isRequired: true, "HOST:PORT; port 0 lets the system choose."),
                Field("token-file", .text(.any), "The file of the bearer token; without one, changes are refused."),
            ]), "Where HTTP is served; default nowhere."),
    ]

    private static let address = TextRule(
        pattern: "^[^\\s]+:[0-9]{1,5}$", described: "HOST:PORT, such as 127.0.0.1:7077",
        isValid: { ListenAddress($0) != nil })
}
