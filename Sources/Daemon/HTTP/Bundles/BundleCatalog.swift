internal import Bundles
internal import Foundation
internal import NIOCore

/// The bundles on disk, listed. What a request names is looked up here and never made part of a path.
actor BundleCatalog {
    private let root: String
    private var entries: [BundleEntry] = []
    private var byName: [String: BundleEntry] = [:]
    private var listing = ByteBuffer()
    private var scanned: ContinuousClock.Instant?
    private var finished = -1

    /// Folders below the root that are looked into: `<model>@<profile>`, and versions in it.
    private static let depth = 3
    /// What the engine does not tell of, such as a bundle that a user removed, is seen after this time.
    private static let freshFor = Duration.seconds(2)

    /// - Parameter root: The directory of bundles.
    init(root: String) { self.root = Self.absolute(root) }

    /// A bundle by its name; `<model>@<profile>` alone is the latest one.
    ///
    /// - Parameter finished: How many jobs have ended so far: a new end makes the listing stale.
    func bundle(_ name: String, finished: Int) -> BundleEntry? {
        refresh(finished)
        return byName[name] ?? entries.first { $0.isLatest && "\($0.model)@\($0.profile)" == name }
    }

    /// Every bundle, newest first.
    func all(finished: Int) -> [BundleEntry] {
        refresh(finished)
        return entries
    }

    /// The listing as JSON.
    func json(finished: Int) -> ByteBuffer {
        refresh(finished)
        return listing
    }

    /// The name of the bundle in `directory`: its path below `root`, with colons for slashes, so that it is one segment of
    /// a URL.
    static func name(of directory: String, in root: String) -> String {
        let (directory, root) = (absolute(directory), absolute(root))
        guard directory.hasPrefix(root + "/") else { return (directory as NSString).lastPathComponent }
        return String(directory.dropFirst(root.count + 1)).replacing("/", with: ":")
    }

    private struct Listing: Encodable {
        let bundles: [BundleEntry]
    }

    private func refresh(_ finished: Int) {
        if let scanned, self.finished == finished, ContinuousClock.now - scanned < Self.freshFor { return }
        let known = Dictionary(entries.map { ($0.directory, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [BundleEntry] = []
        scan(root, Self.depth, known, &found)
        markLatest(&found)
        found.sort { ($0.created, $0.name) > ($1.created, $1.name) }
        if found != entries || scanned == nil {
            entries = found
            byName = Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            listing = (try? JSONAnswer.bytes(Listing(bundles: found))) ?? ByteBuffer(string: "{\"bundles\":[]}")
        }
        scanned = .now
        self.finished = finished
    }

    /// Adds the bundles in `folder`; links and hidden names, such as bundles in the making, are passed over.
    private func scan(_ folder: String, _ depth: Int, _ known: [String: BundleEntry], _ found: inout [BundleEntry]) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            guard FileStatus(entry: path)?.isDirectory == true else { continue }
            if let manifest = FileStatus(entry: "\(path)/bundle.json"), manifest.isRegular {
                if let entry = known[path], entry.manifestStatus == manifest {
                    found.append(entry)
                } else if let entry = BundleEntry(name: Self.name(of: path, in: root), directory: path, manifest) {
                    found.append(entry)
                }
            } else if depth > 1 {
                scan(path, depth - 1, known, &found)
            }
        }
    }

    /// The engine's link says which version is the latest; without one it is the newest.
    private func markLatest(_ entries: inout [BundleEntry]) {
        for (folder, versions) in Dictionary(grouping: entries.indices, by: { entries[$0].folder }) {
            let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/latest")
            let linked = link.flatMap { link in versions.first { entries[$0].directory == "\(folder)/\(link)" } }
            for (_, same) in Dictionary(grouping: versions, by: { [entries[$0].model, entries[$0].profile] }) {
                let newest = same.max { entries[$0].created < entries[$1].created }
                for index in same {
                    entries[index].isLatest = index == (same.contains { $0 == linked } ? linked : newest)
                }
            }
        }
    }

    private static func absolute(_ path: String) -> String {
        let path = URL(filePath: path).standardizedFileURL.path
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}
