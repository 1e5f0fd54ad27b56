import Daemon
import Foundation
import Testing

/// Every route, asked over a socket, against what the OpenAPI document says of it.
@Suite struct RouteTests {
    @Test func everyOperationAnswersAsDescribed() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            try SampleBundle.write(to: server.folder("bundles/a@p/k1"))
            let document = try #require(try await server.ask("/v1/openapi.json").json as? [String: Any])
            #expect(document["openapi"] as? String == "3.1.0")
            let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
            #expect(paths.count >= 20)
            for (path, operations) in paths.sorted(by: { $0.key < $1.key }) where !path.hasSuffix("events") {
                for (method, operation) in operations {
                    try await check(server, document, path, method.uppercased(), operation)
                }
            }
        }
    }

    private func check(
        _ server: TestServer, _ document: [String: Any], _ path: String, _ method: String, _ operation: [String: Any]
    ) async throws {
        // Job 1 has ended, so that it can be retried; 3 waits, so that it can be cancelled.
        let target = path.replacing("{id}", with: path.hasSuffix("cancel") ? "3" : "1").replacing(
            "{name}", with: "a@p:k1"
        )
        .replacing("{file}", with: "bundle.json")
        let body = method == "POST" ? (operation["requestBody"] == nil ? "" : #"{"model":"a","profile":"p"}"#) : nil
        let answer = try await server.ask(method, target, token: TestServer.token, body: body)
        let responses = try #require(operation["responses"] as? [String: [String: Any]])
        let content = responses["\(answer.status)"]?["content"] as? [String: [String: Any]]
        #expect((200..<300).contains(answer.status), "\(method) \(target): \(answer.status) \(answer.text)")
        let media = answer.headers["content-type"]?.split(separator: ";").first.map(String.init) ?? ""
        // A file has the type of its name; the document names the most general one.
        let described = content?.keys.map { $0.split(separator: ";").first.map(String.init) ?? "" } ?? []
        #expect(described.contains(media) || path.hasSuffix("{file}"), "\(method) \(target): \(media)")
        if let schema = content?.values.first?["schema"] as? [String: Any] {
            let faults = JSONSchemaCheck(document: document).faults(try #require(answer.json), schema)
            #expect(faults.isEmpty, "\(method) \(target): \(faults)")
        }
        #expect(answer.headers["x-content-type-options"] == "nosniff")
        #expect(answer.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
        try await checkOtherMethods(server, document, path, target)
    }

    /// What a path does not have is 405, with what it has; HEAD has the headers of GET and no body.
    private func checkOtherMethods(
        _ server: TestServer, _ document: [String: Any], _ path: String, _ target: String
    ) async throws {
        let operations = (document["paths"] as? [String: [String: Any]])?[path] ?? [:]
        let described = Set(operations.keys.map { $0.uppercased() })
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] + ["GET", "POST"].filter({ !described.contains($0) }) {
            let answer = try await server.ask(method, target, token: TestServer.token)
            #expect(answer.status == 405, "\(method) \(target)")
            let allowed = Set((answer.headers["allow"] ?? "").split(separator: ", ").map(String.init))
            #expect(allowed.subtracting(["HEAD"]) == described, "\(method) \(target)")
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(
                JSONSchemaCheck(document: document).faults(answer.json ?? 0, ["$ref": "#/components/schemas/Problem"])
                    == [])
        }
        guard described.contains("GET") else { return }
        let (head, get) = (try await server.ask("HEAD", target), try await server.ask("GET", target))
        #expect(head.status == get.status && head.body.isEmpty, "HEAD \(target)")
        #expect(head.headers["content-type"] == get.headers["content-type"], "HEAD \(target)")
    }

    @Test func pagesOfJobs() async throws {
        try await TestServer.run(jobs: (1...25).map { FakeControl.job($0, $0 % 2 == 0 ? .done : .queued) }) {
            (server: TestServer) async throws in
            var ids: [Int] = []
            var before = ""
            repeat {
                let page = try await server.ask("/v1/jobs?limit=10\(before)")
                ids += (page.member("jobs") as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int }
                before = (page.member("next") as? Int).map { "&before=\($0)" } ?? ""
            } while !before.isEmpty
            #expect(ids == Array((1...25).reversed()))
            let done = try await server.ask("/v1/jobs?state=done&limit=1000")
            #expect((done.member("jobs") as? [Any])?.count == 12)
            #expect((done.member("counts") as? [String: Int])?["queued"] == 13)
        }
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=x", "limit=-1", "state=", "state=Done", "before=-1",
        "limit=99999999999999999999",
    ])
    func badQueries(query: String) async throws {
        try await TestServer.run { (server: TestServer) async throws in
            #expect(try await server.ask("/v1/jobs?\(query)").status == 400)
        }
    }

    @Test func aChangeIsSeenAtOnce() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            for round in 0..<20 {
                // The list is kept between changes; no change may be missed for that.
                var job = FakeControl.job(2, .running)
                job.fraction = Double(round) / 20
                await server.control.change(job)
                try await Task.sleep(for: .milliseconds(20))
                let jobs = try await server.ask("/v1/jobs").member("jobs") as? [[String: Any]]
                #expect(jobs?.first { $0["id"] as? Int == 2 }?["fraction"] as? Double == Double(round) / 20)
            }
        }
    }

    @Test func submissions() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            func submit(_ body: String, _ headers: [String] = []) async throws -> RawAnswer {
                try await server.ask("POST", "/v1/jobs", token: TestServer.token, headers: headers, body: body)
            }
            let made = try await submit(#"{"model":"a","profile":"p","priority":7}"#)
            #expect(made.status == 202 && made.headers["location"] == "/v1/jobs/4")
            #expect(await server.control.submissions == ["a p 7"])
            #expect(try await submit(#"{"model":"b","profile":"p"}"#).status == 404)
            for body in [
                "", "{", "[]", #"{"model":1,"profile":"p"}"#, #"{"model":"a"}"#, "\u{0}",
                String(repeating: "[", count: 60_000),
            ] {
                #expect(try await submit(body).status == 400, "\(body.prefix(20))")
            }
            let plain = Array(
                "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(TestServer.token)\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                    .utf8)
            #expect(try await server.exchange(plain).status == 415)
            #expect(try await server.ask("POST", "/v1/jobs/1/cancel", token: TestServer.token, body: "").status == 409)
            #expect(try await server.ask("POST", "/v1/jobs/99/retry", token: TestServer.token, body: "").status == 404)
        }
    }

    @Test func health() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            await server.control.set(isUp: false, beat: Date(timeIntervalSinceNow: -120))
            #expect(try await server.ask("/healthz").status == 503)
            #expect(try await server.ask("/readyz").status == 503)
            let announced = try String(contentsOfFile: server.folder("state/http-address"), encoding: .utf8)
            #expect(announced == "http://\(server.address)\n")
        }
    }
}
