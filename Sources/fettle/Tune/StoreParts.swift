internal import Foundation
internal import ModelFiles
internal import Tuning

/// What shards leave in a store's directory until it is merged: `shards/` with a database for each, a mark of each that is done,
/// and what they need together.
struct StoreParts {
    private let directory: String

    init(_ location: StoreLocation) { directory = "\(location.directory)/shards" }

    /// Files that all shards need: texts, and the model's statistics on them.
    var sharedDirectory: String { "\(directory)/shared" }

    /// Path of a shard's own database.
    func path(of shard: Shard) throws(ModelError) -> String {
        try StoreLocation.make(directory)
        return "\(directory)/\(name(shard)).sqlite"
    }

    /// Notes that a shard has nothing left to do.
    func markDone(_ shard: Shard) throws {
        let file = try OutputFile(path: "\(directory)/\(name(shard)).done")
        try file.finish()
    }

    /// Paths of the shards' databases, in order of their names.
    var databases: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".sqlite") }.sorted().map { "\(directory)/\($0)" }
    }

    /// Shards that were begun and are not done, or of whose set others were begun and they were not: `3-of-16`.
    var missing: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let done = Set(names.filter { $0.hasSuffix(".done") }.map { String($0.dropLast(5)) })
        let counts = Set(
            names.compactMap { $0.split(separator: ".").first?.split(separator: "-").last.flatMap { Int($0) } })
        return counts.sorted().flatMap { count in (1...max(1, count)).map { "\($0)-of-\(count)" } }
            .filter { !done.contains($0) }
    }

    /// Removes all of it.
    func remove() throws { try FileManager.default.removeItem(atPath: directory) }

    private func name(_ shard: Shard) -> String { "\(shard.index + 1)-of-\(shard.count)" }
}
