internal import GRDB

extension JobStore {
    /// Jobs, newest first, at most `limit`, with ids below `before` where given.
    package func jobs(state: JobState?, limit: Int, before: Int64?) async throws(DaemonError) -> [Job] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM job WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR id < ?2)
                    ORDER BY id DESC LIMIT ?3
                    """, arguments: [state?.rawValue, before, limit]
            ).compactMap(Job.init)
        }
    }

    /// The job of that number.
    package func job(_ id: Int64) async throws(DaemonError) -> Job? {
        try await read { database in try Self.job(id, database) }
    }

    /// How many jobs are in each state; states without jobs are 0.
    package func counts() async throws(DaemonError) -> [JobState: Int] {
        try await read { database in
            var counts = Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0, 0) })
            let rows = try Row.fetchCursor(database, sql: "SELECT state, COUNT(*) AS number FROM job GROUP BY state")
            while let row = try rows.next() {
                if let state = JobState(rawValue: row["state"]) { counts[state] = row["number"] }
            }
            return counts
        }
    }

    /// What is known of the model at `path` while its files look as `signature` says.
    package func knownModel(path: String, signature: String) async throws(DaemonError) -> KnownModel? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT name, digest FROM model WHERE path = ? AND signature = ?",
                arguments: [path, signature]
            ).map { KnownModel(name: $0["name"], digest: $0["digest"]) }
        }
    }

    /// Remembers the model at `path`, so that a restart need not read it again.
    package func remember(_ model: KnownModel, path: String, signature: String) async throws(DaemonError) {
        try await write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO model (path, signature, name, digest) VALUES (?, ?, ?, ?)",
                arguments: [path, signature, model.name, model.digest])
        }
    }
}

/// What a model's files were found to be.
package struct KnownModel: Sendable, Equatable {
    /// File stem or directory name.
    package var name: String
    /// The digest that `Model.digest` has, too.
    package var digest: String

    package init(name: String, digest: String) {
        self.name = name
        self.digest = digest
    }
}
