internal import Compute
internal import DeviceProfiles
internal import Foundation

/// The profiles that models are tuned for, as they are on disk now, each with the settings that go with it.
struct ProfileSet: Sendable {
    /// One profile of the configuration.
    struct Member: Sendable {
        /// As the configuration names it.
        var source: String
        var profile: DeviceProfile?
        /// Digest of what besides model and profile decides a bundle's bytes.
        var settingsDigest = ""
        /// Why it cannot be used.
        var error: String?
    }

    private(set) var members: [Member] = []
    /// What changes when one of the files read may have.
    let signature: String

    /// Profiles without any file.
    init() { signature = "" }

    /// Reads the profiles of `configuration`.
    init(_ configuration: DaemonConfiguration, library: ProfileLibrary) {
        signature = Self.signature(configuration)
        var names: Set<String> = []
        for source in configuration.profiles {
            var member = Member(source: source)
            do throws(ProfileError) {
                let profile = try library.load(source)
                if names.insert(profile.name).inserted {
                    let calibration = configuration.calibration ?? profile.calibrationPath
                    member.settingsDigest = try Self.settingsDigest(calibration: calibration)
                    member.profile = profile
                } else {
                    member.error = "another profile has the name \(profile.name) too; rename one"
                }
            } catch {
                member.error = "\(error)"
            }
            members.append(member)
        }
    }

    /// What every model is wanted for.
    func requests(for models: [WatchedModel]) -> [JobRequest] {
        var seen: Set<String> = []
        var requests: [JobRequest] = []
        for model in models {
            // Copies and hard links of one model are one model: the first path stands for all.
            guard model.state == .ready, let digest = model.digest, seen.insert(digest).inserted else { continue }
            for member in members {
                guard let request = request(model, digest: digest, member) else { continue }
                requests.append(request)
            }
        }
        return requests
    }

    /// What `model` is wanted for by the profile `name`; nil where one of them is not ready.
    func request(for model: WatchedModel, profile name: String) -> JobRequest? {
        guard model.state == .ready, let digest = model.digest,
            let member = members.first(where: { $0.profile?.name == name })
        else { return nil }
        return request(model, digest: digest, member)
    }

    private func request(_ model: WatchedModel, digest: String, _ member: Member) -> JobRequest? {
        guard let profile = member.profile else { return nil }
        return JobRequest(
            key: JobKey(
                modelDigest: digest, profileDigest: profile.digest, settingsDigest: member.settingsDigest),
            modelPath: model.path, model: model.name, profile: profile.name)
    }

    /// Directories whose files decide what the profiles are: their own, and that of the families beside them.
    static func directories(_ configuration: DaemonConfiguration) -> Set<String> {
        var directories: Set<String> = []
        for source in configuration.profiles where source.contains("/") || source.hasSuffix("ml") {
            let directory = (source as NSString).deletingLastPathComponent
            directories.insert(directory.isEmpty ? "." : directory)
            directories.insert((directory as NSString).appendingPathComponent("families"))
        }
        return directories
    }

    /// What changes when a file may have that a profile is read from.
    static func signature(_ configuration: DaemonConfiguration) -> String {
        var files = configuration.calibration.map { [$0] } ?? []
        for directory in directories(configuration) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            files += names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(directory)/\($0)" }
        }
        return FileStatus.signature(of: files)
    }

    private static func settingsDigest(calibration: String?) throws(ProfileError) -> String {
        let hash = SHA256()
        hash.update("fettle daemon settings 1".utf8)
        guard let calibration else { return hash.hexadecimal() }
        guard let file = FileHandle(forReadingAtPath: calibration) else {
            throw ProfileError(.unreadable, at: nil, keyPath: "calibration", "\(calibration) cannot be read")
        }
        defer { try? file.close() }
        while let piece = try? file.read(upToCount: 1 << 20), !piece.isEmpty { piece.withUnsafeBytes(hash.update) }
        return hash.hexadecimal()
    }
}
