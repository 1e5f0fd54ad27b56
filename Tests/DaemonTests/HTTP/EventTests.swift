import Daemon
import Foundation
import Testing

/// Server-sent events over a socket.
@Suite struct EventTests {
    private func open(_ server: TestServer, _ path: String, _ headers: String = "") throws -> RawConnection {
        let connection = try RawConnection(server.address, seconds: 20)
        try connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n")
        return connection
    }

    /// What comes until `mark` has come.
    private func read(_ client: RawConnection, until mark: String) async throws -> String {
        try await Blocking.run { try client.receive(until: mark) }
    }

    @Test func sixtyFourClientsSeeEveryChange() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let clients = try (0..<64).map { _ in try open(server, "/v1/events") }
            for client in clients {
                #expect(try await read(client, until: "event: sync").contains("retry: 2000"))
            }
            for step in 1...10 {
                var job = FakeControl.job(2, .running)
                job.fraction = Double(step) / 10
                await server.control.change(job)
            }
            await server.control.change(FakeControl.job(2, .done))
            for client in clients {
                let text = try await read(client, until: "\"state\":\"done\"")
                #expect(text.components(separatedBy: "event: job").count - 1 == 11, "\(text)")
                #expect(text.contains("\"fraction\":0.1,") && text.contains("\"fraction\":0.9,"))
            }
            #expect(try await server.ask("/metrics").text.contains("fettle_http_event_clients 64\n"))
            // A client that is not used any more would be let go before.
            withExtendedLifetime(clients) {}
        }
    }

    @Test func whoLeavesIsForgotten() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            do {
                let client = try open(server, "/v1/events")
                _ = try await read(client, until: "sync")
            }
            let end = ContinuousClock.now + .seconds(5)
            while try await !server.ask("/metrics").text.contains("fettle_http_event_clients 0\n"), .now < end {}
            #expect(try await server.ask("/metrics").text.contains("fettle_http_event_clients 0\n"))
        }
    }

    @Test func whoComesBackMissesNothing() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let first = try open(server, "/v1/events")
            _ = try await read(first, until: "sync")
            await server.control.change(FakeControl.job(2, .done))
            let seen = try await read(first, until: "\"state\":\"done\"")
            let id = try #require(seen.firstMatch(of: /id: (\S+)/)?.1)
            await server.control.change(FakeControl.job(3, .failed))
            try await Task.sleep(for: .milliseconds(100))
            let second = try open(server, "/v1/events", "Last-Event-ID: \(id)\r\n")
            let missed = try await read(second, until: "\"state\":\"failed\"")
            #expect(!missed.contains("event: sync") && !missed.contains("\"state\":\"done\""))
            // An id of another run, or of the future, says nothing: the lists are to be read again.
            for foreign in ["other-1", "\(id)0000", "-", "x"] {
                let client = try open(server, "/v1/events", "Last-Event-ID: \(foreign)\r\n")
                #expect(try await read(client, until: "event: sync").contains("event: sync"))
            }
        }
    }

    @Test func theEventsOfOneJob() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let client = try open(server, "/v1/jobs/2/events")
            #expect(try await read(client, until: "\"id\":2").contains("\"state\":\"running\""))
            await server.control.change(FakeControl.job(3, .failed))
            await server.control.change(FakeControl.job(2, .cancelled))
            let text = try await read(client, until: "cancelled")
            #expect(!text.contains("\"id\":3"))
            #expect(try await server.ask("/v1/jobs/99/events").status == 404)
        }
    }

    @Test func theClientFollowsAJobToItsEnd() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let client = DaemonClient(ServiceURL(server.address), token: nil)
            let follow = Task {
                try await Blocking.run {
                    var fractions: [Double] = []
                    let ended = try client.follow(2) { fractions.append($0.fraction ?? -1) }
                    return (ended, fractions)
                }
            }
            var job = FakeControl.job(2, .running)
            for step in [0.5, 0.75] {
                try await Task.sleep(for: .milliseconds(300))
                job.fraction = step
                await server.control.change(job)
            }
            await server.control.change(FakeControl.job(2, .done))
            let (ended, fractions) = try await follow.value
            #expect(ended.state == .done && fractions.starts(with: [0.25]) && fractions.contains(0.75))
        }
    }
}
