import Daemon
import Foundation
import Logging
import Synchronization
import Testing

/// The real server on a free port, over a service that is made up and a folder of bundles.
struct TestServer {
    let control: FakeControl
    let folder: Folder
    let address: ListenAddress
    let log: LogLines

    /// The token that `token` files of tests hold.
    static let token = "a-token-for-tests"

    /// Runs `body` against a server that listens on `host`.
    ///
    /// - Parameter token: The content of the token file; nil for no file.
    static func run(
        host: String = "127.0.0.1", token: String? = TestServer.token, tokenMode: Int = 0o600,
        jobs: [Job] = [FakeControl.job(1, .done), FakeControl.job(2, .running), FakeControl.job(3)],
        _ body: @Sendable @escaping (TestServer) async throws -> Void
    ) async throws {
        let folder = try Folder()
        for name in ["bundles", "state"] {
            try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
        }
        if let token {
            try folder.write(token + "\n", to: "token")
            try FileManager.default.setAttributes([.posixPermissions: tokenMode], ofItemAtPath: folder("token"))
        }
        let control = FakeControl(jobs: jobs)
        let log = LogLines()
        let (addresses, continuation) = AsyncStream.makeStream(of: ListenAddress.self)
        let configuration = try DaemonConfiguration.parse(
            "models: m\nbundles: b\nstate: s\nprofiles: p\n"
                + "http: {listen: \(host):0\(token == nil ? "" : ", token-file: token")}\n", file: folder("fettle.yaml")
        )
        let service = HTTPService(
            try #require(configuration.http),
            bundles: folder("bundles"), state: folder("state"), control: control, version: "9.9.9", logger: log.logger,
            onListening: { continuation.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask {
                var iterator = addresses.makeAsyncIterator()
                var address = try #require(await iterator.next())
                if address.host == "0.0.0.0" { address.host = "127.0.0.1" }
                // The server listens to the service's events by now, or soon.
                while await control.listening == 0 { try await Task.sleep(for: .milliseconds(5)) }
                try await body(TestServer(control: control, folder: folder, address: address, log: log))
            }
            // Whichever ends first is the test, unless the server fails.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Sends a request as its bytes say and reads the answer to the end of the connection.
    func exchange(_ bytes: [UInt8], seconds: Int = 20) async throws -> RawAnswer {
        let connection = try RawConnection(address, seconds: seconds)
        return try await Blocking.run {
            try? connection.send(bytes)
            return RawAnswer(try connection.receiveAll())
        }
    }

    /// Gets `target`.
    func ask(_ target: String, token: String? = nil, headers: [String] = []) async throws -> RawAnswer {
        try await ask("GET", target, token: token, headers: headers)
    }

    /// Asks for `target`, with `headers` as they stand.
    func ask(
        _ method: String, _ target: String, host: String? = nil, token: String? = nil, headers: [String] = [],
        body: String? = nil
    ) async throws -> RawAnswer {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: \(host ?? "\(address)")", "Connection: close"]
        if let token { lines.append("Authorization: Bearer \(token)") }
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        let text = (lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
        return try await exchange(Array(text.utf8))
    }
}

/// Calls that block, off the threads that the server answers on.
enum Blocking {
    static func run<Value: Sendable>(_ body: @Sendable @escaping () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// What the server logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        init(lines: LogLines) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level) \(event.message)") }
        }
    }
}
