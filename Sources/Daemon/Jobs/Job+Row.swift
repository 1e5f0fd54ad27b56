internal import Foundation
internal import GRDB

extension Job {
    /// A row of the table `job`; nil where its state is none that this version knows.
    init?(_ row: Row) {
        guard let state = JobState(rawValue: row["state"]) else { return nil }
        self.init(
            id: row["id"], modelPath: row["modelPath"], model: row["model"], modelDigest: row["modelDigest"],
            profile: row["profile"], profileDigest: row["profileDigest"], settingsDigest: row["settingsDigest"],
            state: state, priority: row["priority"], attempts: row["attempts"],
            notBefore: Self.date(row["notBefore"]), stage: row["stage"], fraction: row["fraction"],
            message: row["message"], created: Self.date(row["created"]) ?? .distantPast,
            started: Self.date(row["started"]), finished: Self.date(row["finished"]), bundle: row["bundle"],
            kl: row["kl"], storedBytes: row["storedBytes"])
    }

    /// Writes what events change into the job's row.
    func update(_ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE job SET modelPath = ?, state = ?, priority = ?, attempts = ?, notBefore = ?, stage = ?,
                    fraction = ?, message = ?, started = ?, finished = ?, bundle = ?, kl = ?, storedBytes = ?
                WHERE id = ?
                """,
            arguments: [
                modelPath, state.rawValue, priority, attempts, Self.milliseconds(notBefore), stage, fraction, message,
                Self.milliseconds(started), Self.milliseconds(finished), bundle, kl, storedBytes, id,
            ])
    }

    static func milliseconds(_ date: Date?) -> Int64? {
        date.map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) }
    }

    private static func date(_ milliseconds: Int64?) -> Date? {
        milliseconds.map { Date(timeIntervalSince1970: Double($0) / 1000) }
    }
}
