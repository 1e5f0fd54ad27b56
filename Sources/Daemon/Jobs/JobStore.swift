internal import Foundation
internal import GRDB

/// The jobs, in SQLite (WAL, synchronous FULL): what was promised survives a power cut. Every method is one transaction,
/// and none holds more jobs in memory than it returns.
package final class JobStore: Sendable {
    let database: any DatabaseWriter
    let path: String
    let policy: RetryPolicy

    /// Opens the database at `path` and brings its tables up to date.
    package init(path: String, policy: RetryPolicy = RetryPolicy()) throws(DaemonError) {
        self.path = path
        self.policy = policy
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        // One daemon reads for itself and a few HTTP clients.
        configuration.maximumReaderCount = 3
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -1024")
        }
        do {
            database = try DatabasePool(path: path, configuration: configuration)
            try Self.migrator.migrate(database)
        } catch {
            throw DaemonError(.store, place: path, "cannot be opened: \(error); free space, or name another state")
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("jobs and models") { database in
            // Times are milliseconds since 1970.
            try database.execute(
                sql: """
                    CREATE TABLE job (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        modelPath TEXT NOT NULL, model TEXT NOT NULL, modelDigest TEXT NOT NULL,
                        profile TEXT NOT NULL, profileDigest TEXT NOT NULL, settingsDigest TEXT NOT NULL,
                        state TEXT NOT NULL, priority INTEGER NOT NULL, attempts INTEGER NOT NULL, notBefore INTEGER,
                        stage TEXT, fraction REAL, message TEXT,
                        created INTEGER NOT NULL, started INTEGER, finished INTEGER,
                        bundle TEXT, kl REAL, storedBytes INTEGER,
                        withdrawn INTEGER NOT NULL DEFAULT 0,
                        UNIQUE (modelDigest, profileDigest, settingsDigest));
                    CREATE INDEX jobByTurn ON job (state, priority DESC, id);
                    CREATE INDEX jobByBundle ON job (model, profile, finished) WHERE bundle IS NOT NULL;
                    CREATE TABLE model (
                        path TEXT PRIMARY KEY, signature TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL
                    ) WITHOUT ROWID;
                    """)
        }
        return migrator
    }

    func read<Result: Sendable>(
        _ body: @Sendable @escaping (Database) throws -> Result
    ) async throws(DaemonError) -> Result {
        do { return try await database.read(body) } catch { throw failure(error) }
    }

    func write<Result: Sendable>(
        _ body: @Sendable @escaping (Database) throws -> Result
    ) async throws(DaemonError) -> Result {
        do { return try await database.write(body) } catch { throw failure(error) }
    }

    private func failure(_ error: any Error) -> DaemonError {
        DaemonError(.store, place: path, "\(error); free space, or name another state")
    }
}
