/// One YAML text and where it comes from.
struct ProfileSource: Sendable {
    /// The path of a file, or `Profiles/NAME.yaml` for a shipped profile: what messages say.
    var file: String
    /// The text, where it is at hand; nil for a file, which is read when it is needed.
    var text: String?
    /// Whether it ships with Fettle: then nothing lies beside it, whatever the working directory holds.
    var isShipped = false

    /// The settings of this text alone, without what it extends.
    func settings() throws(ProfileError) -> Setting {
        let reader = SettingReader(DeviceProfile.fields)
        guard let text else { return try reader.read(path: file) }
        return try reader.read(Array(text.utf8), file: file)
    }

    /// The directory of a path; empty for a bare name.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The two with one slash between.
    static func join(_ directory: String, _ name: String) -> String {
        if directory.isEmpty { return name }
        return directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
    }
}
