package import Bundles
internal import Foundation

/// Asks the daemon for the client commands, one connection for each request.
package struct DaemonClient: Sendable {
    private let url: ServiceURL
    private let token: String?

    /// The body of an answer with a status below 400.
    package struct Answer: Sendable {
        package let status: Int
        package let headers: [String: String]
        package let body: [UInt8]
    }

    /// One server-sent event.
    package struct Event: Sendable, Equatable {
        package var name = "message"
        package var id: String?
        package var data = ""
    }

    /// More than any list or manifest has.
    private static let bodyLimit = 64 << 20
    /// The daemon beats every 15 s on a stream of events.
    private static let patience = 45

    /// - Parameter token: Sent with every request where it is not nil.
    package init(_ url: ServiceURL, token: String?) {
        self.url = url
        self.token = token
    }

    /// Asks for `path`, which is encoded already.
    ///
    /// - Throws: Where nobody answers, or the answer refuses.
    package func get(_ path: String) throws(ClientError) -> Answer {
        try whole(try begin("GET", path, body: nil))
    }

    /// Sends `json` to `path`.
    package func post(_ path: String, json: [UInt8] = []) throws(ClientError) -> Answer {
        try whole(try begin("POST", path, body: json))
    }

    /// Follows the events of `path` until `handle` says false or the daemon ends them.
    package func events(_ path: String, handle: (Event) throws -> Bool) throws {
        var answer = try begin("GET", path, body: nil)
        guard answer.status < 400 else {
            _ = try whole(answer)
            return
        }
        var reader = EventReader()
        while let piece = try answer.next() {
            for event in reader.events(adding: piece) where try !handle(event) { return }
        }
    }

    /// The job `id`.
    package func job(_ id: Int64) throws(ClientError) -> RemoteJob { try decode(try get("/v1/jobs/\(id)")) }

    /// Jobs, newest first.
    package func jobs(state: JobState?, limit: Int) throws(ClientError) -> RemoteJob.Page {
        try decode(try get("/v1/jobs?limit=\(limit)" + (state.map { "&state=\($0.rawValue)" } ?? "")))
    }

    /// Queues a watched model for a configured profile.
    package func submit(model: String, profile: String, priority: Int) throws(ClientError) -> RemoteJob {
        struct Submission: Encodable {
            let model: String
            let profile: String
            let priority: Int
        }
        let submission = Submission(model: model, profile: profile, priority: priority)
        guard let body = try? JSONEncoder().encode(submission) else { throw malformed }
        return try decode(try post("/v1/jobs", json: Array(body)))
    }

    /// Ends the job `id`.
    package func cancel(_ id: Int64) throws(ClientError) -> RemoteJob { try decode(try post("/v1/jobs/\(id)/cancel")) }

    /// Queues the ended job `id` again.
    package func retry(_ id: Int64) throws(ClientError) -> RemoteJob { try decode(try post("/v1/jobs/\(id)/retry")) }

    /// What the child of the job `id` wrote lately, oldest first.
    package func log(_ id: Int64) throws(ClientError) -> [String] {
        struct Log: Decodable {
            let lines: [String]
        }
        let log: Log = try decode(try get("/v1/jobs/\(id)/log"))
        return log.lines
    }

    /// The manifest of the bundle `name`, as it stands on the daemon's disk.
    package func manifest(_ name: String) throws(ClientError) -> BundleManifest {
        try decode(try get("/v1/bundles/\(RequestTarget.encoded(name))"))
    }

    /// Tells `handle` of the job `id` as it is and at each change, until it has ended.
    ///
    /// - Returns: The job as it ended.
    package func follow(_ id: Int64, handle: (RemoteJob) throws -> Void) throws -> RemoteJob {
        var last = try job(id)
        try handle(last)
        guard !last.state.isFinal else { return last }
        try events("/v1/jobs/\(id)/events") { event in
            guard event.name == "job" else { return true }
            last = try decode(Answer(status: 200, headers: [:], body: Array(event.data.utf8)))
            try handle(last)
            return !last.state.isFinal
        }
        guard last.state.isFinal else {
            throw ClientError(
                .unreachable, address: "\(url)", "the daemon has stopped; the job goes on when it is back")
        }
        return last
    }

    private func decode<Value: Decodable>(_ answer: Answer) throws(ClientError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(answer.body))
        } catch {
            throw malformed
        }
    }

    private var malformed: ClientError {
        ClientError(
            .malformed, address: "\(url)", "answers otherwise than this version expects; check --url and versions")
    }

    private func begin(_ method: String, _ path: String, body: [UInt8]?) throws(ClientError) -> ClientAnswer {
        let socket = try ClientSocket(url, patience: Self.patience)
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(url.address)\r\nConnection: close\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let body { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        try socket.send(Array("\(head)\r\n".utf8) + (body ?? []))
        return try ClientAnswer(socket, address: "\(url)")
    }

    private func whole(_ answer: ClientAnswer) throws(ClientError) -> Answer {
        var answer = answer
        let body = try answer.all(limit: Self.bodyLimit)
        guard answer.status < 400 else {
            let problem = try? JSONDecoder().decode(ProblemDetail.self, from: Data(body))
            throw ClientError(
                .refused(answer.status), address: "\(url)",
                problem?.detail ?? "refused with status \(answer.status), but not as the daemon does; check --url")
        }
        return Answer(status: answer.status, headers: answer.headers, body: body)
    }

    private struct ProblemDetail: Decodable {
        let detail: String
    }
}
