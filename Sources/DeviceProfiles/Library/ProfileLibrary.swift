internal import Foundation

/// Finds profiles by name or path and resolves what they extend.
///
/// A name is looked up in the user's directories first, then among the shipped profiles; a family lies in the folder
/// `families/` beside the profiles.
package struct ProfileLibrary: Sendable {
    /// The longest chain of `extends`, the profile itself included.
    static let longestChain = 8
    private static let families = "families/"

    private let directories: [String]
    private let shipped: [String: String]

    /// - Parameters:
    ///   - directories: The user's own directories of profiles, the first one first.
    ///   - shipped: Name and text of the profiles that ship with Fettle; families are called `families/NAME`.
    package init(directories: [String], shipped: [(name: String, text: String)]) {
        self.directories = directories
        self.shipped = Dictionary(shipped.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
    }

    /// The names of all profiles, sorted; families are not among them.
    package var names: [String] {
        var names = Set(shipped.keys.filter { !$0.hasPrefix(Self.families) })
        for directory in directories {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            names.formUnion(files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(".yaml".count)) })
        }
        return names.sorted()
    }

    /// Reads a profile with everything that it extends.
    ///
    /// - Parameter nameOrPath: A name, or a path: something with a slash or with the ending `.yaml` or `.yml`.
    /// - Throws: `unknownProfile` with the nearest names, `badInheritance`, and every mistake of the texts themselves.
    package func load(_ nameOrPath: String) throws(ProfileError) -> DeviceProfile {
        let isPath = nameOrPath.contains("/") || nameOrPath.hasSuffix(".yaml") || nameOrPath.hasSuffix(".yml")
        if isPath { return try load(file: nameOrPath) }
        guard let source = find(nameOrPath, beside: nil) else { throw unknown(nameOrPath) }
        return try resolve(source)
    }

    /// Reads the profile in a file, whatever the file is called.
    ///
    /// - Throws: As `load(_:)`, but for `unknownProfile`.
    package func load(file path: String) throws(ProfileError) -> DeviceProfile {
        try resolve(ProfileSource(file: path))
    }

    /// Reads a profile from text.
    ///
    /// - Parameter file: How the text is called in messages; what it extends is looked up beside it.
    /// - Throws: As `load(file:)`.
    package func parse(_ text: String, file: String) throws(ProfileError) -> DeviceProfile {
        try resolve(ProfileSource(file: file, text: text))
    }

    private func resolve(_ source: ProfileSource) throws(ProfileError) -> DeviceProfile {
        var chain = [source.file]
        var setting = try source.settings()
        var extended = setting["extends"]
        var child = source
        while let parentName = extended, let name = parentName.text {
            let parent = try self.parent(name, of: child, at: parentName.place)
            if chain.contains(parent.file) {
                let circle = (chain + [parent.file]).joined(separator: " -> ")
                throw ProfileError(
                    .badInheritance, at: parentName.place, keyPath: "extends", "leads in a circle: \(circle); break it")
            }
            chain.append(parent.file)
            guard chain.count <= Self.longestChain else {
                throw ProfileError(
                    .badInheritance, at: parentName.place, keyPath: "extends",
                    "the chain has more than \(Self.longestChain) profiles; shorten it")
            }
            let base = try parent.settings()
            extended = base["extends"]
            setting = base.merging(setting)
            child = parent
        }
        return try DeviceProfile(setting)
    }

    private func parent(
        _ name: String, of child: ProfileSource, at place: Place
    ) throws(ProfileError) -> ProfileSource {
        if let source = find(name, beside: child) { return source }
        let known = Set(
            shipped.keys.map { $0.hasPrefix(Self.families) ? String($0.dropFirst(Self.families.count)) : $0 })
        throw ProfileError(
            .badInheritance, at: place, keyPath: "extends",
            "there is no profile or family \(quoted(name)); \(nearest(name, among: known.union(names).sorted()))")
    }

    /// Looks beside the child, then in the user's directories, then among what ships. What ships extends only what ships.
    private func find(_ name: String, beside child: ProfileSource?) -> ProfileSource? {
        guard TextRule.name.isValid(name) else { return nil }
        var folders = directories
        if let child { folders = child.isShipped ? [] : [ProfileSource.directory(of: child.file)] + directories }
        for directory in folders {
            for candidate in ["\(name).yaml", "\(Self.families)\(name).yaml"] {
                let path = ProfileSource.join(directory, candidate)
                if RegularFile.exists(path) { return ProfileSource(file: path) }
            }
        }
        for candidate in [name, Self.families + name] {
            if let text = shipped[candidate] {
                return ProfileSource(file: "Profiles/\(candidate).yaml", text: text, isShipped: true)
            }
        }
        return nil
    }

    private func unknown(_ name: String) -> ProfileError {
        ProfileError(
            .unknownProfile, at: nil,
            "there is no profile \(quoted(name)); \(nearest(name, among: names)); "
                + "a file is named by its path, such as ./\(TextRule.name.isValid(name) ? name : "NAME").yaml")
    }

    private func nearest(_ name: String, among names: [String]) -> String {
        // Whoever writes pi5 means raspberry-pi-5-4gb, however many letters are between.
        let part = name.lowercased().filter { $0 != "-" }
        let ranked = NearestWord.ranked(name, among: names)
        let containing = ranked.filter { !part.isEmpty && $0.filter { $0 != "-" }.contains(part) }
        let near = (containing + ranked.filter { !containing.contains($0) }).prefix(3)
        return near.isEmpty ? "none is known" : "the nearest are \(near.joined(separator: ", "))"
    }
}
