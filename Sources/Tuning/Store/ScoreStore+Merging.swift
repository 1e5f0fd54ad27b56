internal import Foundation
internal import GRDB

extension ScoreStore {
    /// Takes over everything that `other` holds. What both hold must be the same bits, or one of them is not of this program.
    ///
    /// - Returns: the number of scores and vectors that were new.
    package func merge(_ other: ScoreStore) throws(TuningError) -> Int {
        let scores: [(String, String, String, Double)] = try other.read { database in
            try Row.fetchAll(database, sql: "SELECT context, name, choice, value FROM score")
                .map { ($0[0], $0[1], $0[2], $0[3]) }
        }
        let vectors: [(String, String)] = try other.read { database in
            try Row.fetchAll(database, sql: "SELECT context, name FROM vector").map { ($0[0], $0[1]) }
        }
        let uses: [(String, Double)] = try other.read { database in
            try Row.fetchAll(database, sql: "SELECT context, at FROM use").map { ($0[0], $0[1]) }
        }
        var added = 0
        do {
            try database.write { database in
                for (context, name, choice, value) in scores {
                    try database.execute(
                        sql: "INSERT OR IGNORE INTO score VALUES (?, ?, ?, ?)",
                        arguments: [context, name, choice, value])
                    added += database.changesCount
                    let kept = try Double.fetchOne(
                        database, sql: "SELECT value FROM score WHERE context = ? AND name = ? AND choice = ?",
                        arguments: [context, name, choice])
                    if kept?.bitPattern != value.bitPattern { throw other.disagreement("\(name), \(choice)") }
                }
                for (context, name) in vectors {
                    // One at a time: a store holds more than memory should.
                    let bytes = try other.database.read {
                        try Data.fetchOne(
                            $0, sql: "SELECT bytes FROM vector WHERE context = ? AND name = ?",
                            arguments: [context, name])
                    }
                    try database.execute(
                        sql: "INSERT OR IGNORE INTO vector VALUES (?, ?, ?)", arguments: [context, name, bytes])
                    added += database.changesCount
                    let kept = try Data.fetchOne(
                        database, sql: "SELECT bytes FROM vector WHERE context = ? AND name = ?",
                        arguments: [context, name])
                    if kept != bytes { throw other.disagreement(name) }
                }
                for (context, at) in uses {
                    try database.execute(
                        sql:
                            "INSERT INTO use VALUES (?, ?) ON CONFLICT (context) DO UPDATE SET at = max(at, excluded.at)",
                        arguments: [context, at])
                }
            }
        } catch let error as TuningError {
            throw error
        } catch {
            throw failure(error)
        }
        return added
    }

    private func disagreement(_ what: String) -> TuningError {
        TuningError(
            .badInput, place: path,
            "has another value of \(what) under the same key: one of the parts is of another build; score it again")
    }
}
