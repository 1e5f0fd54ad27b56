internal import DeviceProfiles
package import Foundation
internal import Logging

extension Engine: ServiceControl {
    package func jobs(state: JobState?, limit: Int, before: Int64?) async throws -> [Job] {
        try await store.jobs(state: state, limit: limit, before: before).map { running[$0.id]?.job ?? $0 }
    }

    package func job(_ id: Int64) async throws -> Job? {
        let job = try await store.job(id)
        return job?.state == .running ? running[id]?.job ?? job : job
    }

    package func counts() async throws -> [JobState: Int] { try await store.counts() }

    package func submit(model: String, profile: String, priority: Int) async throws(ServiceControlError) -> Job {
        let named = await watcher.models.filter { $0.name == model }
        guard let found = named.first(where: { $0.state == .ready }) ?? named.first else {
            throw .notFound("there is no model \(model) in the watched directories")
        }
        guard let member = profileSet.members.first(where: { ($0.profile?.name ?? $0.source) == profile }) else {
            throw .notFound("there is no profile \(profile) in the configuration")
        }
        guard let request = profileSet.request(for: found, profile: profile) else {
            let reason = member.error ?? found.reason ?? "it is \(found.state.rawValue)"
            throw .conflict("\(model) cannot be tuned for \(profile) now: \(reason)")
        }
        let job = try await storing { () throws(DaemonError) in
            try await store.submit(request, priority: priority, now: parts.now())
        }
        announce(job, "submitted")
        poke()
        return job
    }

    package func cancel(_ id: Int64) async throws(ServiceControlError) -> Job {
        let job = try await change(id, .cancelled("cancelled by a user"), refusal: "it has ended already")
        running[id]?.child.stop(grace: Self.grace)
        announce(job, "cancelled")
        return job
    }

    package func retry(_ id: Int64) async throws(ServiceControlError) -> Job {
        let job = try await change(id, .retried, refusal: "it has not ended yet")
        announce(job, "retried")
        poke()
        return job
    }

    package func events(job: Int64?) -> AsyncStream<Job> {
        hub.listen(to: job) { number in Task { await self.forget(number) } }
    }

    private func forget(_ listener: UUID) { hub.remove(listener) }

    package func log(_ id: Int64) -> [String] { JobLog.lines(path: logPath(id)) }

    package func models() async -> [WatchedModel] { await watcher.models }

    package func profiles() -> [WatchedProfile] {
        profileSet.members.map { member in
            WatchedProfile(
                name: member.profile?.name ?? member.source, source: member.source, digest: member.profile?.digest,
                error: member.error)
        }
    }

    package func stageDurations() -> [String: DurationHistogram] { stages }

    package func isReady() -> Bool { isUp && !isDraining && storeTrouble == nil }

    package func heartbeat() -> Date { lastBeat }

    private func change(
        _ id: Int64, _ event: JobEvent, refusal: String
    ) async throws(ServiceControlError) -> Job {
        guard let current = try await storing({ () throws(DaemonError) in try await store.job(id) }) else {
            throw .notFound("there is no job \(id)")
        }
        let changed = try await storing { () throws(DaemonError) in
            try await store.apply(event, to: id, now: parts.now())
        }
        guard let changed else { throw .conflict("job \(id) is \(current.state.rawValue): \(refusal)") }
        return changed
    }

    private func storing<Result>(
        _ body: () async throws(DaemonError) -> Result
    ) async throws(ServiceControlError) -> Result {
        do { return try await body() } catch { throw .unavailable("\(error)") }
    }
}
