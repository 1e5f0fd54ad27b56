package import Foundation
internal import GRDB

extension JobStore {
    /// What a reconciliation changed.
    package struct Reconciliation: Sendable {
        /// Jobs that are queued since.
        package var queued: [Job] = []
        /// Jobs that are cancelled since, since nobody wants them any more.
        package var withdrawn: [Job] = []
    }

    /// Makes the queue say what is wanted: a request without a job gets one, a job that was withdrawn is queued again, and
    /// one that no request asks for any more is withdrawn. Jobs that ended otherwise stay as they are.
    ///
    /// - Parameter reason: Why a job without a request is withdrawn.
    package func reconcile(
        _ requests: [JobRequest], now: Date, reason: @Sendable @escaping (Job) -> String
    ) async throws(DaemonError) -> Reconciliation {
        let policy = policy
        return try await write { database in
            var result = Reconciliation()
            for request in requests {
                if let job = try Self.enqueue(request, priority: 0, now: now, policy: policy, database).queued {
                    result.queued.append(job)
                }
            }
            let wanted = Set(requests.map(\.key))
            let active = try Row.fetchCursor(
                database, sql: "SELECT * FROM job WHERE state IN ('queued', 'running') ORDER BY id")
            var unwanted: [Job] = []
            while let row = try active.next() {
                if let job = Job(row), !wanted.contains(job.key) { unwanted.append(job) }
            }
            for job in unwanted {
                guard let ended = job.after(.cancelled(reason(job)), now: now, policy: policy) else { continue }
                try ended.update(database)
                try database.execute(sql: "UPDATE job SET withdrawn = 1 WHERE id = ?", arguments: [job.id])
                result.withdrawn.append(ended)
            }
            return result
        }
    }

    /// The job of `request`, queued where there was none; one that waits gets the higher of its priority and `priority`.
    package func submit(_ request: JobRequest, priority: Int, now: Date) async throws(DaemonError) -> Job {
        let policy = policy
        return try await write { database in
            var job = try Self.enqueue(request, priority: priority, now: now, policy: policy, database).job
            if job.state == .queued, job.priority < priority {
                job.priority = priority
                try job.update(database)
            }
            return job
        }
    }

    /// The next job whose turn it is, now running. Two jobs of one model never run at the same time: the second finds the
    /// first one's scores in the store.
    ///
    /// - Parameter busy: Jobs whose last child has not ended yet, whatever their state is.
    package func claim(now: Date, busy: Set<Int64> = []) async throws(DaemonError) -> Job? {
        let policy = policy
        let busy = busy.sorted().map(String.init).joined(separator: ",")
        return try await write { database in
            let latest = Job.milliseconds(now)
            let farthest = Job.milliseconds(now + policy.longestDelay)
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT * FROM job
                    WHERE state = 'queued' AND (notBefore IS NULL OR notBefore <= ? OR notBefore > ?)
                        AND modelDigest NOT IN (SELECT modelDigest FROM job WHERE state = 'running' OR id IN (\(busy)))
                    ORDER BY priority DESC, id LIMIT 1
                    """, arguments: [latest, farthest])
            guard let job = row.flatMap(Job.init)?.after(.begun, now: now, policy: policy) else { return nil }
            try job.update(database)
            return job
        }
    }

    /// The job after `event`; nil where there is no such job, or its state does not allow the event.
    package func apply(_ event: JobEvent, to id: Int64, now: Date) async throws(DaemonError) -> Job? {
        let policy = policy
        return try await write { database in
            guard let job = try Self.job(id, database)?.after(event, now: now, policy: policy) else { return nil }
            try job.update(database)
            try database.execute(sql: "UPDATE job SET withdrawn = 0 WHERE id = ?", arguments: [id])
            return job
        }
    }

    /// Keeps what the job's child said last; only a running job has progress.
    package func record(stage: String, fraction: Double, message: String, of id: Int64) async throws(DaemonError) {
        try await write { database in
            try database.execute(
                sql: "UPDATE job SET stage = ?, fraction = ?, message = ? WHERE id = ? AND state = 'running'",
                arguments: [stage, fraction, message, id])
        }
    }

    /// Queues again what ran when the daemon was killed. Returns how many jobs that were.
    package func recover(now: Date) async throws(DaemonError) -> Int {
        let policy = policy
        return try await write { database in
            let jobs = try Row.fetchAll(database, sql: "SELECT * FROM job WHERE state = 'running'").compactMap(Job.init)
            for job in jobs { try job.after(.interrupted, now: now, policy: policy)?.update(database) }
            return jobs.count
        }
    }

    static func job(_ id: Int64, _ database: Database) throws -> Job? {
        try Row.fetchOne(database, sql: "SELECT * FROM job WHERE id = ?", arguments: [id]).flatMap(Job.init)
    }

    private static func enqueue(
        _ request: JobRequest, priority: Int, now: Date, policy: RetryPolicy, _ database: Database
    ) throws -> (job: Job, queued: Job?) {
        let key = request.key
        let row = try Row.fetchOne(
            database,
            sql: "SELECT * FROM job WHERE modelDigest = ? AND profileDigest = ? AND settingsDigest = ?",
            arguments: [key.modelDigest, key.profileDigest, key.settingsDigest])
        if let row, var job = Job(row) {
            // The model was moved, or is a copy of the one that was there first.
            let isMoved = job.modelPath != request.modelPath && job.state == .queued
            let isBack = row["withdrawn"] == 1 && job.state == .cancelled
            guard isMoved || isBack else { return (job, nil) }
            job.modelPath = request.modelPath
            if isBack { job = job.after(.retried, now: now, policy: policy) ?? job }
            try job.update(database)
            try database.execute(sql: "UPDATE job SET withdrawn = 0 WHERE id = ?", arguments: [job.id])
            return (job, isBack ? job : nil)
        }
        try database.execute(
            sql: """
                INSERT INTO job (modelPath, model, modelDigest, profile, profileDigest, settingsDigest, state, priority,
                    attempts, created)
                VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, 0, ?)
                """,
            arguments: [
                request.modelPath, request.model, key.modelDigest, request.profile, key.profileDigest,
                key.settingsDigest, priority, Job.milliseconds(now),
            ])
        guard let job = try self.job(database.lastInsertedRowID, database) else {
            throw DatabaseError(message: "a job that was just inserted is not there")
        }
        return (job, job)
    }
}
