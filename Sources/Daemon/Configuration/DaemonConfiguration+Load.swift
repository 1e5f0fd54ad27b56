package import DeviceProfiles

extension DaemonConfiguration {
    /// Reads and checks a configuration file.
    ///
    /// - Throws: The first mistake, with its place.
    package static func load(_ path: String) throws(ProfileError) -> DaemonConfiguration {
        try DaemonConfiguration(try SettingReader(fields).read(path: path), file: path)
    }

    /// Reads and checks the text of a configuration.
    ///
    /// - Parameter file: How the text is called in messages; relative paths start at its directory.
    package static func parse(_ text: String, file: String) throws(ProfileError) -> DaemonConfiguration {
        try DaemonConfiguration(try SettingReader(fields).read(Array(text.utf8), file: file), file: file)
    }

    private init(_ setting: Setting, file: String) throws(ProfileError) {
        func path(_ text: String) -> String { Self.resolve(text, besides: file) }
        func paths(_ key: String) -> [String] { (setting[key]?.items ?? []).compactMap(\.text) }
        models = paths("models").map(path)
        bundles = path(setting["bundles"]?.text ?? "")
        state = path(setting["state"]?.text ?? "")
        profiles = paths("profiles").map { Self.isPath($0) ? path($0) : $0 }
        calibration = (setting["calibration"]?.text).map(path)
        settle = setting["settle"]?.real ?? 5
        workers = setting["workers"]?.integer ?? 1
        threads = setting["threads"]?.integer ?? 1
        timeLimit = setting["time-limit"]?.real
        memoryCeiling = setting["memory-ceiling"]?.integer
        retention = Retention(jobs: setting["retention.jobs"]?.real, bundles: setting["retention.bundles"]?.integer)
        log = Log(
            level: setting["log.level"]?.word(as: Log.Level.self) ?? .info,
            format: setting["log.format"]?.word(as: Log.Format.self) ?? .text)
        http = (setting["http.listen"]?.text).flatMap(ListenAddress.init).map {
            HTTP(listen: $0, tokenFile: (setting["http.token-file"]?.text).map(path))
        }
        places = setting.places
        try checkFolders()
    }

    /// A watched folder that holds what the daemon itself writes would feed it its own bundles.
    private func checkFolders() throws(ProfileError) {
        for (key, folder) in [("bundles", bundles), ("state", state)] {
            for models in models where Self.contains(models, folder) {
                throw ProfileError(
                    .impossible, at: places[key], keyPath: key,
                    "\(folder) lies in the watched \(models); write a directory outside of it")
            }
        }
        if Self.components(bundles) == Self.components(state) {
            throw ProfileError(
                .impossible, at: places["state"], keyPath: "state",
                "is the directory of bundles too; write another one")
        }
    }

    /// A profile is named by a path where it has a slash or the ending of a YAML file.
    private static func isPath(_ profile: String) -> Bool {
        profile.contains("/") || profile.hasSuffix(".yaml") || profile.hasSuffix(".yml")
    }

    /// The path as the process can open it, without slashes at its end.
    private static func resolve(_ path: String, besides file: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return "\(file[...slash])\(path)"
    }

    /// Whether `folder` is `outer` or lies in it, by their paths alone.
    private static func contains(_ outer: String, _ folder: String) -> Bool {
        components(folder).starts(with: components(outer))
    }

    private static func components(_ path: String) -> [String] {
        var components = path.hasPrefix("/") ? ["/"] : []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = components.last, last != "/", last != ".." {
                components.removeLast()
            } else {
                components.append(String(part))
            }
        }
        return components
    }
}
