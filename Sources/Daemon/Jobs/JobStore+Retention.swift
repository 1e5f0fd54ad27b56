internal import Foundation
internal import GRDB

extension JobStore {
    /// Numbers of the jobs that wait or run.
    func activeIDs() async throws(DaemonError) -> Set<Int64> {
        try await read { database in
            try Set(Int64.fetchAll(database, sql: "SELECT id FROM job WHERE state IN ('queued', 'running')"))
        }
    }

    /// Jobs whose bundles are not among the `most` newest of their model's name and profile, and still there.
    func bundles(beyond most: Int) async throws(DaemonError) -> [Job] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM (
                        SELECT *, ROW_NUMBER() OVER (PARTITION BY model, profile ORDER BY finished DESC, id DESC) AS age
                        FROM job WHERE bundle IS NOT NULL AND state = 'done')
                    WHERE age > ? ORDER BY id
                    """, arguments: [most]
            ).compactMap(Job.init)
        }
    }

    /// The job's bundle is no more.
    func forgetBundle(of id: Int64) async throws(DaemonError) {
        try await write { database in
            try database.execute(sql: "UPDATE job SET bundle = NULL WHERE id = ?", arguments: [id])
        }
    }

    /// Removes jobs that ended before `date` and are not `wanted`. Returns their numbers.
    func forgetJobs(finishedBefore date: Date, except wanted: Set<JobKey>) async throws(DaemonError) -> [Int64] {
        try await write { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT * FROM job WHERE finished < ? AND state NOT IN ('queued', 'running')",
                arguments: [Job.milliseconds(date)])
            var forgotten: [Int64] = []
            while let row = try rows.next() {
                if let job = Job(row), !wanted.contains(job.key) { forgotten.append(job.id) }
            }
            for id in forgotten { try database.execute(sql: "DELETE FROM job WHERE id = ?", arguments: [id]) }
            return forgotten
        }
    }
}
