internal import Compute
internal import Foundation
internal import GRDB

extension ScoreStore {
    /// What is kept for one model, text, seed and version of the kernels.
    package struct Entry: Sendable, Codable, Equatable {
        /// The key: parts by name.
        package var context: String
        package var scores: Int
        package var vectors: Int
        /// Of scores and vectors, without what the database adds.
        package var bytes: Int
        /// Seconds since 1970; 0 where it was never noted.
        package var used: Double
    }

    /// What a store holds.
    package struct Contents: Sendable, Codable, Equatable {
        package var path: String
        /// Of the database's pages that are in use.
        package var bytes: Int
        /// SHA-256 over all scores and vectors in the order of their keys: equal for stores that hold the same.
        package var digest: String
        /// What was used last comes first.
        package var entries: [Entry]
    }

    /// What is in the store.
    package func contents() throws(TuningError) -> Contents {
        try read { database in
            var entries: [String: Entry] = [:]
            let hash = SHA256()
            let scores = try Row.fetchCursor(
                database, sql: "SELECT context, name, choice, value FROM score ORDER BY context, name, choice")
            while let row = try scores.next() {
                let (context, name, choice, value): (String, String, String, Double) = (row[0], row[1], row[2], row[3])
                hash.update("\(context)\u{0}\(name)\u{0}\(choice)\u{0}\(value.bitPattern)\u{0}".utf8)
                entries[context, default: Self.empty(context)].scores += 1
                entries[context, default: Self.empty(context)].bytes += name.utf8.count + choice.utf8.count + 8
            }
            let vectors = try Row.fetchCursor(
                database, sql: "SELECT context, name, bytes FROM vector ORDER BY context, name")
            while let row = try vectors.next() {
                let (context, name, bytes): (String, String, Data) = (row[0], row[1], row[2])
                hash.update("\(context)\u{0}\(name)\u{0}\(bytes.count)\u{0}".utf8)
                bytes.withUnsafeBytes(hash.update)
                entries[context, default: Self.empty(context)].vectors += 1
                entries[context, default: Self.empty(context)].bytes += name.utf8.count + bytes.count
            }
            for row in try Row.fetchAll(database, sql: "SELECT context, at FROM use") {
                entries[row[0]]?.used = row[1]
            }
            return Contents(
                path: path, bytes: try Self.usedBytes(database), digest: hash.hexadecimal(),
                entries: entries.values.sorted { (-$0.used, $0.context) < (-$1.used, $1.context) })
        }
    }

    private static func empty(_ context: String) -> Entry {
        Entry(context: context, scores: 0, vectors: 0, bytes: 0, used: 0)
    }

    /// Bytes of the pages that hold something.
    static func usedBytes(_ database: Database) throws -> Int {
        func pragma(_ name: String) throws -> Int { try Int.fetchOne(database, sql: "PRAGMA \(name)") ?? 0 }
        return try (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
    }
}
