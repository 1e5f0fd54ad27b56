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
