import Daemon
import Foundation
import Testing

/// What comes out of bundles: the list, files and ranges of them, whole archives.
@Suite struct BundleTests {
    @Test func theList() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            #expect(try await server.ask("/v1/bundles").member("bundles") as? [Any] != nil)
            try SampleBundle.write(to: server.folder("bundles/a@p/k1"))
            try SampleBundle.write(to: server.folder("bundles/a@p/k2"))
            // In the making, or damaged: not listed.
            try SampleBundle.write(to: server.folder("bundles/.fettle-work/1/a@p"))
            try server.folder.write("{", to: "bundles/broken/bundle.json")
            try FileManager.default.createSymbolicLink(
                atPath: server.folder("bundles/a@p/latest"), withDestinationPath: "k1")
            // A job's end makes the list new at once.
            await server.control.change(FakeControl.job(1, .done, bundle: server.folder("bundles/a@p/k1")))
            try await Task.sleep(for: .milliseconds(100))
            let bundles = try #require(try await server.ask("/v1/bundles").member("bundles") as? [[String: Any]])
            #expect(Set(bundles.compactMap { $0["name"] as? String }) == ["a@p:k1", "a@p:k2"])
            #expect(bundles.filter { $0["latest"] as? Bool == true }.map { $0["name"] as? String } == ["a@p:k1"])
            let files = try #require(bundles.first?["files"] as? [[String: Any]])
            #expect(
                files.map { $0["name"] as? String } == [
                    "SHA256SUMS", "bundle.json", "model.safetensors", "report.html",
                ])
            #expect(try await server.ask("/v1/jobs/1").member("bundle") as? String == "a@p:k1")
            let manifest = try await server.ask("/v1/bundles/a@p")
            #expect(
                manifest.body == Array(try Data(contentsOf: URL(filePath: server.folder("bundles/a@p/k1/bundle.json"))))
            )
        }
    }

    @Test func filesAndRanges() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            try SampleBundle.write(to: server.folder("bundles/a@p"))
            let path = "/v1/bundles/a@p/files/model.safetensors"
            let whole = try await server.ask(path)
            #expect(whole.status == 200 && whole.body.count == 10_000 && whole.headers["accept-ranges"] == "bytes")
            let tag = try #require(whole.headers["etag"])
            #expect(try await server.ask(path, headers: ["If-None-Match: \(tag)"]).status == 304)
            for (range, expected) in [
                ("0-9", 0..<10), ("9995-", 9995..<10_000), ("-3", 9997..<10_000), ("5-99999", 5..<10_000),
                ("-99999", 0..<10_000),
            ] {
                let part = try await server.ask(path, headers: ["Range: bytes=\(range)"])
                #expect(part.status == 206 && part.body == Array(whole.body[expected]), "\(range)")
                #expect(
                    part.headers["content-range"] == "bytes \(expected.lowerBound)-\(expected.upperBound - 1)/10000")
            }
            for range in ["10000-", "5-4", "-0", "a-b", "-", "18446744073709551616-"] {
                let part = try await server.ask(path, headers: ["Range: bytes=\(range)"])
                #expect(part.status == 416 && part.headers["content-range"] == "bytes */10000", "\(range)")
            }
            #expect(try await server.ask(path, headers: ["Range: bytes=0-1,3-4"]).status == 200)
            #expect(try await server.ask(path, headers: ["Range: bytes=0-1", "If-Range: \"old\""]).status == 200)
            let report = try await server.ask("/v1/bundles/a@p/files/report.html")
            #expect(report.headers["content-type"] == "text/html; charset=utf-8")
            #expect(report.headers["content-security-policy"]?.contains("sandbox") == true)
        }
    }

    @Test func anArchiveUnpacksToTheBundle() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            // A name that no plain header holds.
            let name = String(repeating: "modèle-", count: 20) + "@p"
            try SampleBundle.write(to: server.folder("bundles/\(name)"))
            let encoded = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let answer = try await server.ask("/v1/bundles/\(encoded)/archive")
            #expect(answer.status == 200 && answer.headers["content-length"] == "\(answer.body.count)")
            try Data(answer.body).write(to: URL(filePath: server.folder("archive.tar")))
            let (status, output) = try Shell.run(
                "cd '\(server.folder.path)' && mkdir out && tar -xf archive.tar -C out && diff -r 'bundles/\(name)' 'out/\(name)'"
            )
            #expect(status == 0, "\(output)")
        }
    }
}
