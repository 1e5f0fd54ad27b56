import Daemon
import Foundation
import Testing

/// Who may ask for what: token, Host, Origin.
@Suite struct AccessTests {
    @Test func loopbackWithAToken() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            #expect(try await server.ask("/v1/jobs").status == 200)
            for token in [nil, "wrong", TestServer.token + "x", String(TestServer.token.dropLast()), "", " "] {
                let answer = try await server.ask("POST", "/v1/jobs/3/cancel", token: token, body: "")
                #expect(answer.status == 401, "\(token ?? "none")")
                #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                #expect(!answer.text.contains(TestServer.token))
            }
            let twice = ["Authorization: Bearer \(TestServer.token)", "Authorization: Bearer x"]
            #expect(try await server.ask("POST", "/v1/jobs/3/cancel", headers: twice, body: "").status == 401)
            #expect(await server.control.job(3)?.state == .queued)
            #expect(try await server.ask("POST", "/v1/jobs/3/cancel", token: TestServer.token, body: "").status == 200)
            #expect(await server.control.job(3)?.state == .cancelled)
            #expect(!server.log.all.contains { $0.contains(TestServer.token) })
        }
    }

    @Test func withoutATokenChangesAreRefused() async throws {
        try await TestServer.run(token: nil) { (server: TestServer) async throws in
            for token in [nil, "anything", ""] {
                let answer = try await server.ask("POST", "/v1/jobs/3/cancel", token: token, body: "")
                #expect(answer.status == 403 && answer.text.contains("http.token-file"))
            }
            #expect(await server.control.job(3)?.state == .queued)
            #expect(try await server.ask("/v1/jobs").status == 200)
        }
    }

    @Test func everyAddressNeedsTheTokenForAll() async throws {
        try await TestServer.run(host: "0.0.0.0") { (server: TestServer) async throws in
            for path in [
                "/v1/jobs", "/v1/events", "/metrics", "/healthz", "/v1/openapi.json", "/v1/bundles", "/v1/models",
            ] {
                #expect(try await server.ask(path).status == 401, "\(path)")
            }
            #expect(try await server.ask("/v1/jobs", token: TestServer.token).status == 200)
            // The page itself holds nothing, and a browser cannot send a token before it has the page.
            #expect(try await server.ask("/").status == 200)
        }
        try await TestServer.run(host: "0.0.0.0", token: nil) { (server: TestServer) async throws in
            #expect(try await server.ask("/v1/jobs", token: "x").status == 403)
        }
    }

    @Test(arguments: [0o644, 0o604, 0o666])
    func aTokenThatAllCanReadIsRefused(mode: Int) async throws {
        try await TestServer.run(tokenMode: mode) { (server: TestServer) async throws in
            let answer = try await server.ask("POST", "/v1/jobs/3/cancel", token: TestServer.token, body: "")
            #expect(answer.status == 403 && answer.text.contains("chmod"))
            #expect(server.log.all.contains { $0.hasPrefix("warning") && $0.contains("chmod 600") })
        }
    }

    @Test func theTokenIsReadAgainWhenItChanges() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            func status(_ token: String) async throws -> Int {
                try await server.ask("POST", "/v1/jobs/1/cancel", token: token, body: "").status
            }
            #expect(try await status(TestServer.token) == 409)
            // A new file under the name, as editors and secret managers do it.
            try server.folder.write("second", to: "new")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: server.folder("new"))
            #expect(rename(server.folder("new"), server.folder("token")) == 0)
            #expect(try await status(TestServer.token) == 401)
            #expect(try await status("second") == 409)
            try FileManager.default.removeItem(atPath: server.folder("token"))
            #expect(try await status("second") == 403)
            for text in ["", " \n", "two words", "\u{1}"] {
                try server.folder.write(text, to: "token")
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: server.folder("token"))
                #expect(try await status("x") == 403, "\(text)")
            }
        }
    }

    @Test(arguments: [
        ("localhost", 200), ("LOCALHOST:7077", 200), ("127.0.0.1", 200), ("[::1]:1", 200), ("evil.example", 403),
        ("127.0.0.1.evil.example", 403), ("localhost.evil.example:80", 403), ("127.0.0.2", 403), ("[::2]", 403),
        ("localhost:80:80", 403), ("localhost:x", 403), ("[::1", 403), ("user@localhost", 403), ("", 403),
    ])
    func hosts(host: String, status: Int) async throws {
        try await TestServer.run { (server: TestServer) async throws in
            for path in ["/", "/v1/jobs", "/healthz", "/nothing"] {
                let expected = status == 200 && path == "/nothing" ? 404 : status
                #expect(try await server.ask("GET", path, host: host).status == expected, "\(host) \(path)")
            }
        }
    }

    @Test func oneHostIsNeeded() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let two = "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
            #expect(try await server.exchange(Array(two.utf8)).status == 400)
            let none = "GET /v1/jobs HTTP/1.1\r\nConnection: close\r\n\r\n"
            #expect(try await server.exchange(Array(none.utf8)).status == 400)
        }
    }

    @Test func origins() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            func status(_ origin: String, _ method: String, _ path: String) async throws -> Int {
                try await server.ask(
                    method, path, token: TestServer.token, headers: ["Origin: \(origin)"],
                    body: method == "POST" ? "" : nil
                ).status
            }
            for origin in [
                "http://evil.example", "null", "http://localhost", "http://\(server.address).evil.example", "file://",
                "http://\(server.address)/",
            ] {
                #expect(try await status(origin, "POST", "/v1/jobs/3/cancel") == 403, "\(origin)")
                #expect(try await status(origin, "GET", "/v1/jobs") == 403, "\(origin)")
            }
            #expect(await server.control.job(3)?.state == .queued)
            #expect(try await status("http://\(server.address)", "POST", "/v1/jobs/3/cancel") == 200)
        }
    }

    @Test func refusalsAreLoggedOncePerKind() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            for _ in 0..<50 { _ = try await server.ask("GET", "/", host: "evil\u{7}example\u{1B}[31m") }
            for _ in 0..<50 { _ = try await server.ask("POST", "/v1/jobs/3/cancel", token: "wrong", body: "") }
            let refused = server.log.all.filter { $0.contains("refused") }
            #expect(refused.count <= 3, "\(refused)")
            #expect(refused.contains { $0.contains("token") })
            #expect(refused.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
            let metrics = try await server.ask("/metrics").text
            #expect(metrics.contains("fettle_http_refusals_total{reason=\"token\"} 50\n"))
        }
    }
}
