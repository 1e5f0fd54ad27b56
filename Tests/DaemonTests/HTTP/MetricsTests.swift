import Foundation
import Testing

/// /metrics, read by the rules of the text format 0.0.4.
@Suite struct MetricsTests {
    /// One line of samples.
    private struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    @Test func theTextIsAsPrometheusReadsIt() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            try SampleBundle.write(to: server.folder("bundles/a@p/k1"))
            try SampleBundle.write(to: server.folder("bundles/q/k2"), model: "quo\\\"te\\\\d")
            _ = try await server.ask("/v1/jobs")
            let answer = try await server.ask("/metrics")
            #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let samples = try parse(answer.text)
            func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
                samples.first { $0.name == name && $0.labels == labels }?.value
            }
            #expect(value("fettle_build_info", ["version": "9.9.9"]) == 1)
            #expect(value("fettle_jobs", ["state": "running"]) == 1 && value("fettle_jobs", ["state": "failed"]) == 0)
            #expect(value("fettle_queue_depth") == 1 && value("fettle_ready") == 1)
            #expect(value("fettle_bundle_kl_nats", ["model": "a", "profile": "p"]) == 0.0125)
            #expect(value("fettle_bundle_bytes", ["model": "a", "profile": "p"]) == 10_000)
            #expect(value("fettle_bundle_bytes", ["model": "quo\"te\\d", "profile": "p"]) == 10_000)
            #expect(value("fettle_stage_duration_seconds_count", ["stage": "score"]) == 3)
            #expect(value("fettle_stage_duration_seconds_bucket", ["stage": "score", "le": "3"]) == 2)
            #expect(
                (value("process_resident_memory_bytes") ?? 0) > 1e6 && (value("process_cpu_seconds_total") ?? 0) > 0)
            let started = value("process_start_time_seconds") ?? 0
            #expect(abs(started - Date().timeIntervalSince1970) < 86_400)
            #expect(value("fettle_http_requests_total", ["route": "/v1/jobs", "method": "GET", "code": "200"]) == 1)
        }
    }

    @Test func seriesDoNotGrowWithWhatIsAsked() async throws {
        try await TestServer.run { (server: TestServer) async throws in
            func names() async throws -> Set<String> {
                Set(
                    try parse(try await server.ask("/metrics").text).map {
                        "\($0.name) \($0.labels.sorted { $0.key < $1.key })"
                    })
            }
            func askForAnything(_ number: Int) async throws {
                _ = try await server.ask("/nothing/\(number)")
                _ = try await server.ask("/v1/jobs/\(1000 + number)")
                _ = try await server.ask("METHOD\(number)", "/")
                _ = try await server.ask("GET", "/", host: "host\(number)")
            }
            try await askForAnything(0)
            _ = try await names()
            let before = try await names()
            for number in 1...100 { try await askForAnything(number) }
            #expect(try await names() == before)
        }
    }

    private func parse(_ text: String) throws -> [Sample] {
        #expect(text.hasSuffix("\n"))
        var types: [String: String] = [:]
        var family = ""
        var samples: [Sample] = []
        let sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
        for line in text.split(separator: "\n") {
            if let help = line.firstMatch(of: /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+$/) {
                family = String(help.1)
                #expect(types[family] == nil, "\(family) stands there twice")
            } else if let type = line.firstMatch(of: /^# TYPE (\S+) (counter|gauge|histogram)$/) {
                #expect(String(type.1) == family)
                types[family] = String(type.2)
            } else {
                let match = try #require(line.firstMatch(of: sample), "\(line)")
                let name = String(match.1)
                let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                #expect(suffixes.contains { family + $0 == name }, "\(name) is not in \(family)")
                #expect(types[family] != "counter" || name.hasSuffix("_total"))
                let value = match.3 == "+Inf" ? Double.infinity : try #require(Double(match.3), "\(line)")
                samples.append(Sample(name: name, labels: try labels(String(match.2 ?? "")), value: value))
            }
        }
        try checkHistograms(samples, types)
        let keys = samples.map { "\($0.name)\($0.labels.sorted { $0.key < $1.key })" }
        #expect(Set(keys).count == keys.count, "a series stands there twice")
        return samples
    }

    private func checkHistograms(_ samples: [Sample], _ types: [String: String]) throws {
        for name in types.filter({ $0.value == "histogram" }).keys {
            let buckets = samples.filter { $0.name == "\(name)_bucket" }
            let groups = Dictionary(grouping: buckets) { $0.labels.filter { $0.key != "le" } }
            for (labels, group) in groups {
                let bounds = group.map { $0.labels["le"] == "+Inf" ? .infinity : Double($0.labels["le"] ?? "") ?? .nan }
                #expect(bounds == bounds.sorted() && bounds.last == .infinity)
                #expect(group.map(\.value) == group.map(\.value).sorted())
                let count = samples.first { $0.name == "\(name)_count" && $0.labels == labels }
                #expect(count?.value == group.last?.value)
            }
        }
    }

    /// `a="b",c="d"` with its escapes.
    private func labels(_ text: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        var rest = Substring(text)
        while !rest.isEmpty {
            let match = try #require(
                rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/), "\(rest)")
            labels[String(match.1)] = String(match.2).replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
            rest = rest[match.range.upperBound...]
        }
        return labels
    }
}
