internal import Foundation
internal import GRDB

/// Sensitivities and what belongs to them, kept in SQLite so that nothing is measured twice. Several processes may use one
/// store: it is in WAL mode, and a writer waits for its turn.
package final class ScoreStore: Sendable {
    let database: any DatabaseWriter
    let path: String
    /// The directory of the store's file; nil for a store in memory.
    let directory: String?
    private let now: @Sendable () -> Double

    /// Opens the store at `path`, making it and its directory where they are missing; nil keeps everything in memory. `now` is
    /// seconds since 1970, for telling what was used last.
    package init(
        path: String?, now: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) throws(TuningError) {
        self.path = path ?? "score store in memory"
        directory = path.map { path in
            let directory = (path as NSString).deletingLastPathComponent
            return directory.isEmpty ? "." : directory
        }
        self.now = now
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(30)
            // A kill loses nothing; a power cut loses what was measured last, which is measured again.
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
            if let path {
                let directory = (path as NSString).deletingLastPathComponent
                if !directory.isEmpty {
                    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                }
                database = try DatabasePool(path: path, configuration: configuration)
            } else {
                database = try DatabaseQueue(configuration: configuration)
            }
            try database.write { try Self.createTables($0) }
        } catch {
            throw TuningError(
                .systemFailure, place: path ?? "score store",
                "cannot be opened: \(error); move it away, or choose another --store")
        }
    }

    private static func createTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS score (
                    context TEXT NOT NULL, name TEXT NOT NULL, choice TEXT NOT NULL, value REAL NOT NULL,
                    PRIMARY KEY (context, name, choice)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS vector (
                    context TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (context, name));
                CREATE TABLE IF NOT EXISTS use (context TEXT NOT NULL PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
                """)
    }

    /// All scores of a context by group and choice.
    func scores(_ context: String) throws(TuningError) -> [ScoreName: Double] {
        try write { try markUsed(context, $0) }
        let rows = try read { database in
            try Row.fetchAll(
                database, sql: "SELECT name, choice, value FROM score WHERE context = ?", arguments: [context])
        }
        return Dictionary(
            rows.map { (ScoreName(group: $0["name"], choice: $0["choice"]), $0["value"]) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Adds scores in one transaction; one that is there already stays, as it is the same.
    func put(_ scores: [ScoreName: Double], in context: String) throws(TuningError) {
        guard !scores.isEmpty else { return }
        try write { database in
            try markUsed(context, database)
            let statement = try database.makeStatement(sql: "INSERT OR IGNORE INTO score VALUES (?, ?, ?, ?)")
            for (key, value) in scores.sorted(by: { $0.key < $1.key }) {
                try statement.execute(arguments: [context, key.group, key.choice, value])
            }
        }
    }

    /// The vector of that name, nil where there is none.
    func vector<Number: BitwiseCopyable>(_ name: String, in context: String) throws(TuningError) -> [Number]? {
        let data = try read { database in
            try Data.fetchOne(
                database, sql: "SELECT bytes FROM vector WHERE context = ? AND name = ?", arguments: [context, name])
        }
        guard let data, data.count.isMultiple(of: MemoryLayout<Number>.stride) else { return nil }
        return [Number](unsafeUninitializedCapacity: data.count / MemoryLayout<Number>.stride) { buffer, count in
            count = data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer)) / MemoryLayout<Number>.stride
        }
    }

    /// Adds vectors in one transaction; the machine's byte order, since a store does not leave its machine family.
    package func put<Number: BitwiseCopyable>(_ vectors: [String: [Number]], in context: String) throws(TuningError) {
        guard !vectors.isEmpty else { return }
        try write { database in
            try markUsed(context, database)
            for (name, numbers) in vectors.sorted(by: { $0.key < $1.key }) {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO vector VALUES (?, ?, ?)",
                    arguments: [context, name, numbers.withUnsafeBytes { Data($0) }])
            }
        }
    }

    private func markUsed(_ context: String, _ database: Database) throws {
        try database.execute(sql: "INSERT OR REPLACE INTO use VALUES (?, ?)", arguments: [context, now()])
    }

    func read<Result>(_ body: (Database) throws -> Result) throws(TuningError) -> Result {
        do { return try database.read(body) } catch { throw failure(error) }
    }

    func write(_ body: (Database) throws -> Void) throws(TuningError) {
        do { try database.write(body) } catch { throw failure(error) }
    }

    func failure(_ error: any Error) -> TuningError {
        TuningError(.systemFailure, place: path, "\(error); free space, or choose another --store")
    }
}

/// Which score: a group's, for one choice.
struct ScoreName: Hashable, Sendable, Comparable {
    var group: String
    var choice: String

    static func < (left: ScoreName, right: ScoreName) -> Bool {
        (left.group, left.choice) < (right.group, right.choice)
    }
}
