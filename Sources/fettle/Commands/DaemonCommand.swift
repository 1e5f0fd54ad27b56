internal import ArgumentParser
internal import Daemon
internal import DeviceProfiles
internal import Foundation
internal import Profiles

/// `fettle daemon`: watches model directories and tunes what arrives, until SIGTERM. With `--check` it says what it would
/// watch, or what is wrong with its configuration.
struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Watches model directories and tunes what arrives.",
        discussion:
            "SIGTERM and SIGINT stop it within 10 seconds, keeping what is done; SIGHUP reloads the configuration.")

    @Option(help: "The configuration, a YAML file.") var config: String
    @Flag(help: "Check the configuration and print what would be watched.") var check = false

    func run() async throws {
        let library = ProfileLibrary(directories: [], shipped: ShippedProfiles.all)
        let summary = try checked(library)
        if check { return print("\(config): ok\n\(summary)") }
        try await DaemonProcess(configuration: config, library: library, executable: try Executable.path).run()
    }

    /// What would be watched, in a few lines.
    ///
    /// - Throws: The first mistake of the configuration, or of what it names.
    private func checked(_ library: ProfileLibrary) throws(ProfileError) -> String {
        let configuration = try DaemonConfiguration.load(config)
        var profiles: [DeviceProfile] = []
        for name in configuration.profiles { profiles.append(try Self.load(name, from: library, configuration)) }
        for folder in configuration.models { try Self.checkFolder(folder, configuration) }
        return Self.summary(configuration, profiles)
    }

    /// A profile; its mistakes are told at their own place, an unknown name or file at the configuration's.
    private static func load(
        _ name: String, from library: ProfileLibrary, _ configuration: DaemonConfiguration
    ) throws(ProfileError) -> DeviceProfile {
        do throws(ProfileError) {
            return try library.load(name)
        } catch {
            guard error.line == 0 else { throw error }
            let place = configuration.places["profiles"]
            throw ProfileError(.unreadable, at: place, keyPath: "profiles", "\(name): \(error.message)")
        }
    }

    private static func checkFolder(_ folder: String, _ configuration: DaemonConfiguration) throws(ProfileError) {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw ProfileError(
                .unreadable, at: configuration.places["models"], keyPath: "models",
                "\(folder) is no directory; create it, or name another")
        }
    }

    private static func summary(_ configuration: DaemonConfiguration, _ profiles: [DeviceProfile]) -> String {
        var lines = configuration.models.map { "watches   \($0)" }
        lines += zip(configuration.profiles, profiles).map { name, profile in
            "tunes for \(profile.name)" + (name == profile.name ? "" : " (\(name))")
        }
        lines.append("writes    \(configuration.bundles), state in \(configuration.state)")
        if let http = configuration.http {
            lines.append("serves    \(http.listen)" + (http.tokenFile == nil ? ", changes refused: no token" : ""))
        }
        return lines.joined(separator: "\n")
    }
}
