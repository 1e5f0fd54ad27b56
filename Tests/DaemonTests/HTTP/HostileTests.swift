import Foundation
import Testing

/// Requests that no client of good will sends: refused, and the service goes on.
@Suite struct HostileTests {
    @Test func noPathLeavesTheBundles() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            try SampleBundle.write(to: server.folder("bundles/a@p/k1"))
            try server.folder.write("THE SECRET", to: "secret.txt")
            try FileManager.default.createSymbolicLink(
                atPath: server.folder("bundles/a@p/k1/link.txt"), withDestinationPath: server.folder("secret.txt"))
            try FileManager.default.createSymbolicLink(
                atPath: server.folder("bundles/linked"), withDestinationPath: server.folder.path)
            let climbs = [
                "../../../secret.txt", "..%2f..%2f..%2fsecret.txt", "%2e%2e/%2e%2e/%2e%2e/secret.txt",
                "%2e%2e%2f%2e%2e%2fsecret.txt", "..%5c..%5csecret.txt", "....//....//secret.txt",
                "..%252f..%252fsecret.txt", "..%c0%af..%c0%afsecret.txt", "%00secret.txt", "bundle.json%00.txt",
                server.folder("secret.txt"), "%2fetc%2fpasswd", "link.txt", ".", "..", "", ".sums", "bundle.json/",
                "bundle.json/..",
            ]
            for climb in climbs {
                for target in [
                    "/v1/bundles/a@p:k1/files/\(climb)", "/v1/bundles/\(climb)", "/v1/bundles/\(climb)/archive",
                    "/\(climb)", "/dashboard/\(climb)",
                ] {
                    let answer = try await server.ask(target)
                    let isWithin = ["/v1/bundles/", "/"].contains(target) && climb.isEmpty
                    #expect([400, 404].contains(answer.status) || isWithin, "\(target): \(answer.status)")
                    #expect(!answer.text.contains("SECRET") && !answer.text.contains("root:"), "\(target)")
                    #expect(!answer.text.contains(server.folder.path), "\(target)")
                }
            }
            for target in ["/v1/bundles/linked", "/v1/bundles/linked:secret.txt/archive"] {
                #expect(try await server.ask(target).status == 404, "\(target)")
            }
        }
    }

    @Test(arguments: [
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%2 HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a%0d%0ab HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n\r\n\u{0}\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "G\u{0}T / HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\u{0}\u{5}hello",
    ])
    func malformed(text: String) async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let answer = try await server.exchange(
                Array(text.utf8) + Array("Connection: close\r\n\r\n".utf8), seconds: 15)
            #expect([0, 400, 404, 405].contains(answer.status), "\(answer.status)")
            #expect(try await server.ask("/v1/jobs").status == 200)
        }
    }

    @Test func longHeads() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let long = String(repeating: "a", count: 1 << 20)
            let many = (0..<500).map { "X-\($0): y\r\n" }.joined()
            for head in [
                "GET /\(long) HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\n\(many)\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\n\(long): y\r\n\r\n",
            ] {
                // Where the refusal is cut off by the reset of a connection that still sends, nothing is read at all.
                let answer = try await server.exchange(Array(head.utf8))
                #expect([0, 400].contains(answer.status), "\(answer.status)")
            }
            #expect(try await server.ask("/v1/jobs").status == 200)
        }
    }

    @Test(arguments: [true, false])
    func aHugeBody(isChunked: Bool) async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let before = try await resident(server)
            let connection = try RawConnection(server.address, seconds: 20)
            let (answer, sent) = try await Blocking.run {
                let length = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 104857600"
                try connection.send(
                    "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(TestServer.token)\r\n"
                        + "Content-Type: application/json\r\n\(length)\r\n\r\n")
                let block = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
                var sent = 0
                while sent < 100 {
                    do {
                        if isChunked { try connection.send("100000\r\n") }
                        try connection.send(block)
                        if isChunked { try connection.send("\r\n") }
                    } catch {
                        break
                    }
                    sent += 1
                }
                return (RawAnswer((try? connection.receiveAll()) ?? []), sent)
            }
            // Sent is what the kernel took; the service hung up before the end, or it drained what it must not keep.
            #expect(answer.status == 413 || (answer.status == 0 && sent < 100), "\(answer.status) after \(sent) MB")
            #expect(try await resident(server) < before + 32e6)
            #expect(await server.control.submissions.isEmpty)
            #expect(try await server.ask("/v1/jobs").status == 200)
        }
    }

    @Test func slowClientsAreCutOff() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            let began = ContinuousClock.now
            async let head = drip("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", server)
            async let silent = drip("", server)
            let isCutOff = try await [head, silent]
            #expect(isCutOff == [true, true])
            #expect(ContinuousClock.now - began < .seconds(14))
            #expect(server.log.all.contains { $0.contains("too slowly") })
            #expect(try await server.ask("/v1/jobs").status == 200)
        }
    }

    /// Sends `start`, then a byte every half second; whether the server hung up within 14 s.
    private func drip(_ start: String, _ server: TestServer) async throws -> Bool {
        let connection = try RawConnection(server.address, seconds: 14)
        let reads = Task { try await Blocking.run { (try? connection.receiveAll()) != nil } }
        try connection.send(start)
        if !start.isEmpty {
            for _ in 0..<40 {
                guard (try? connection.send("a")) != nil else { break }
                try await Task.sleep(for: .milliseconds(400))
            }
        }
        return try await reads.value
    }

    private func resident(_ server: TestServer) async throws -> Double {
        let line = try await server.ask("/metrics").text.split(separator: "\n").first {
            $0.hasPrefix("process_resident_memory_bytes")
        }
        return try #require(line.flatMap { Double($0.split(separator: " ").last ?? "") })
    }
}
