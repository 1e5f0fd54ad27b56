import Daemon
import Foundation

/// A service that is made up: jobs in memory, events on demand.
actor FakeControl: ServiceControl {
    private var stored: [Int64: Job] = [:]
    private var listeners: [AsyncStream<Job>.Continuation] = []
    private(set) var submissions: [String] = []
    var isUp = true
    var beat = Date()

    init(jobs: [Job] = []) {
        for job in jobs { stored[job.id] = job }
    }

    /// A job with everything that a job may have.
    static func job(_ id: Int64, _ state: JobState = .queued, bundle: String? = nil) -> Job {
        let moment = Date(timeIntervalSince1970: 1_700_000_000)
        return Job(
            id: id, modelPath: "/secret/models/a.gguf", model: "a", modelDigest: "aa", profile: "p",
            profileDigest: "bb",
            settingsDigest: "cc", state: state, stage: "score", fraction: 0.25, message: "<script>alert(1)</script>",
            created: moment, started: moment, finished: state.isFinal ? moment : nil, bundle: bundle,
            kl: bundle == nil ? nil : 0.01, storedBytes: bundle == nil ? nil : 1000)
    }

    /// Changes a job and tells everyone.
    func change(_ job: Job) {
        stored[job.id] = job
        for listener in listeners { listener.yield(job) }
    }

    /// Listeners so far; the server's own is one.
    var listening: Int { listeners.count }

    func set(isUp: Bool, beat: Date) {
        self.isUp = isUp
        self.beat = beat
    }

    func jobs(state: JobState?, limit: Int, before: Int64?) -> [Job] {
        let fitting = stored.values.filter { state == nil || $0.state == state }.filter { $0.id < before ?? .max }
        return Array(fitting.sorted { $0.id > $1.id }.prefix(limit))
    }

    func job(_ id: Int64) -> Job? { stored[id] }

    func counts() -> [JobState: Int] { Dictionary(grouping: stored.values, by: \.state).mapValues(\.count) }

    func submit(model: String, profile: String, priority: Int) throws(ServiceControlError) -> Job {
        submissions.append("\(model) \(profile) \(priority)")
        guard model == "a", profile == "p" else { throw .notFound("there is no such model or profile") }
        let job = Self.job((stored.keys.max() ?? 0) + 1)
        change(job)
        return job
    }

    func cancel(_ id: Int64) throws(ServiceControlError) -> Job { try change(id, to: .cancelled) { !$0.isFinal } }

    func retry(_ id: Int64) throws(ServiceControlError) -> Job { try change(id, to: .queued) { $0.isFinal } }

    func events(job: Int64?) -> AsyncStream<Job> {
        let (stream, continuation) = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .bufferingNewest(64))
        listeners.append(continuation)
        return stream
    }

    func log(_ id: Int64) -> [String] { ["first", "second \u{1B}[31m"] }

    func models() -> [WatchedModel] {
        decoded(#"[{"name":"a","path":"/secret/models/a.gguf","state":"ready","bytes":10,"digest":"aa"}]"#)
    }

    func profiles() -> [WatchedProfile] { decoded(#"[{"name":"p","source":"p.yaml","digest":"bb"}]"#) }

    func stageDurations() -> [String: DurationHistogram] {
        var score = DurationHistogram()
        for seconds in [0.05, 3, 40_000] { score.add(seconds) }
        return ["score": score]
    }

    func isReady() -> Bool { isUp }

    func heartbeat() -> Date { beat }

    private func decoded<Value: Decodable>(_ json: String) -> [Value] {
        (try? JSONDecoder().decode([Value].self, from: Data(json.utf8))) ?? []
    }

    private func change(
        _ id: Int64, to state: JobState, if isAllowed: (JobState) -> Bool
    ) throws(ServiceControlError) -> Job {
        guard var job = stored[id] else { throw .notFound("there is no such job") }
        guard isAllowed(job.state) else { throw .conflict("the job is \(job.state.rawValue)") }
        job.state = state
        change(job)
        return job
    }
}
