internal import Bundles
internal import Foundation
internal import Tuning

/// One bundle in the listing: what its manifest says in short, and its files.
struct BundleEntry: Sendable, Equatable {
    /// A regular file in the bundle.
    struct File: Sendable, Equatable, Encodable {
        let name: String
        let bytes: Int
        /// Nil for SHA256SUMS itself.
        let sha256: String?
    }

    /// One segment of a URL that names it.
    let name: String
    let directory: String
    let manifestStatus: FileStatus
    let model: String
    let profile: String
    let runtime: String
    let created: Date
    let kl: Double
    let verdicts: [Verdict]
    let files: [File]
    /// Whether it is the newest of its model and profile.
    var isLatest = false

    /// Reads the bundle in `directory`; nil where it cannot be read whole.
    init?(name: String, directory: String, _ manifestStatus: FileStatus) {
        guard manifestStatus.size <= Self.manifestLimit,
            let manifest = try? BundleManifest(path: "\(directory)/bundle.json"),
            let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
        else { return nil }
        let digests = (try? Checksums(directory: directory))?.digests ?? [:]
        files = names.sorted().compactMap { file in
            guard let status = FileStatus(entry: "\(directory)/\(file)"), status.isRegular else { return nil }
            return File(name: file, bytes: status.size, sha256: digests[file])
        }
        self.name = name
        self.directory = directory
        self.manifestStatus = manifestStatus
        model = manifest.model.name
        profile = manifest.profile.name
        runtime = manifest.profile.runtime
        created = Date(timeIntervalSince1970: Double(manifestStatus.modified))
        kl = manifest.quality.kl
        verdicts = manifest.verdicts
    }

    /// A manifest of 10,000 groups has 5 MB.
    static let manifestLimit = 32 << 20

    /// Size of the weights file.
    var storedBytes: Int { files.first { ["model.safetensors", "model.gguf"].contains($0.name) }?.bytes ?? 0 }

    /// The directory that it lies in.
    var folder: String { (directory as NSString).deletingLastPathComponent }

    /// Whether every goal is met.
    var isMet: Bool { verdicts.allSatisfy(\.met) }
}

extension BundleEntry: Encodable {
    private enum Keys: String, CodingKey {
        case name, model, profile, runtime, created, kl, verdicts, files, latest, met
        case storedBytes = "stored_bytes"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(name, forKey: .name)
        try container.encode(model, forKey: .model)
        try container.encode(profile, forKey: .profile)
        try container.encode(runtime, forKey: .runtime)
        try container.encode(created, forKey: .created)
        try container.encode(isLatest, forKey: .latest)
        try container.encode(kl, forKey: .kl)
        try container.encode(storedBytes, forKey: .storedBytes)
        try container.encode(isMet, forKey: .met)
        try container.encode(verdicts, forKey: .verdicts)
        try container.encode(files, forKey: .files)
    }
}
