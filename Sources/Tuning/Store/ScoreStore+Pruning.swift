internal import GRDB

extension ScoreStore {
    /// What pruning removed.
    package struct Pruned: Sendable, Equatable {
        package var contexts: Int
        /// Of the database, before and after.
        package var bytesBefore: Int
        package var bytesAfter: Int
    }

    /// Removes what was not used for longest, one context after another in transactions of their own, until at most `bytes`
    /// are left, and first everything that was not used since `before` (seconds since 1970). Contexts whose key holds one of
    /// `kept` stay. Another process that is using what is removed has read its scores already, or measures anew.
    package func prune(
        to bytes: Int? = nil, before: Double? = nil, keeping kept: [String] = []
    ) throws(TuningError) -> Pruned {
        var result = Pruned(contexts: 0, bytesBefore: try read { try Self.usedBytes($0) }, bytesAfter: 0)
        result.bytesAfter = result.bytesBefore
        for (context, used) in try contextsByAge() where !kept.contains(where: context.contains) {
            let isOld = before.map { used < $0 } ?? false
            let isTooMuch = bytes.map { result.bytesAfter > $0 } ?? false
            guard isOld || isTooMuch else { continue }
            try write { database in
                for table in ["score", "vector", "use"] {
                    try database.execute(sql: "DELETE FROM \(table) WHERE context = ?", arguments: [context])
                }
            }
            result.contexts += 1
            result.bytesAfter = try read { try Self.usedBytes($0) }
        }
        if result.contexts > 0 { try giveBack() }
        return result
    }

    /// Every context with the time of its last use, the longest ago first.
    private func contextsByAge() throws(TuningError) -> [(context: String, used: Double)] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT known.context, COALESCE(use.at, 0) AS at FROM
                        (SELECT context FROM score UNION SELECT context FROM vector) AS known
                        LEFT JOIN use ON use.context = known.context ORDER BY at, known.context
                    """
            ).map { ($0[0], $0[1]) }
        }
    }

    /// Returns free pages to the file system; where another process is in the way, a later prune does it.
    private func giveBack() throws(TuningError) {
        do {
            try database.vacuum()
            // What was written is in the log until then, and the file as long as it was.
            try database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return
        } catch {
            throw failure(error)
        }
    }
}
