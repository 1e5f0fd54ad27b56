import Daemon
import DeviceProfiles
import Testing

/// The example of the design, and what may not be written.
@Suite struct DaemonConfigurationTests {
    private let required = "models: models/\nbundles: bundles/\nstate: state/\nprofiles: [mine]\n"

    @Test func theWholeExample() throws {
        let configuration = try DaemonConfiguration.parse(
            """
            models: models/
            bundles: bundles/
            state: /var/lib/fettle
            profiles: [raspberry-pi-5-4gb, devices/mine.yaml, ours.yml]
            calibration: text/domain.txt
            settle: 5 s
            workers: 2
            threads: 4
            time-limit: 30m
            memory-ceiling: 8 GiB
            retention: {jobs: 30d, bundles: 5}
            log: {level: warning, format: json}
            http: {listen: 127.0.0.1:7077, token-file: /etc/fettle/token}
            """, file: "etc/fettle.yaml")
        #expect(configuration.models == ["etc/models"])
        #expect(configuration.bundles == "etc/bundles" && configuration.state == "/var/lib/fettle")
        #expect(configuration.profiles == ["raspberry-pi-5-4gb", "etc/devices/mine.yaml", "etc/ours.yml"])
        #expect(configuration.calibration == "etc/text/domain.txt")
        #expect(configuration.settle == 5 && configuration.timeLimit == 1800)
        #expect(configuration.workers == 2 && configuration.threads == 4)
        #expect(configuration.memoryCeiling == 8 << 30)
        #expect(configuration.retention.jobs == 2_592_000 && configuration.retention.bundles == 5)
        #expect(configuration.log.level == .warning && configuration.log.format == .json)
        #expect(configuration.http?.listen.description == "127.0.0.1:7077")
        #expect(configuration.http?.tokenFile == "/etc/fettle/token")
        #expect(configuration.places["http.listen"] == Place(file: "etc/fettle.yaml", line: 13, column: 16))
    }

    @Test func defaults() throws {
        let configuration = try DaemonConfiguration.parse(required, file: "fettle.yaml")
        #expect(configuration.models == ["models"] && configuration.profiles == ["mine"])
        #expect(configuration.settle == 5 && configuration.workers == 1 && configuration.threads == 1)
        #expect(configuration.timeLimit == nil && configuration.memoryCeiling == nil && configuration.http == nil)
        #expect(configuration.log.level == .info && configuration.log.format == .text)
    }

    @Test(arguments: [
        (
            "retention: {jobs: 30 x}\n",
            "f.yaml:5:19: retention.jobs: \"30 x\" has no known unit; write 30 s or 30 m"
        ),
        (
            "time-limit: 30 MB\n", "f.yaml:5:13: time-limit: \"30 MB\" is a size, not a time; write 30 ms or 30 s"
        ),
        (
            "log: {level: warn}\n",
            "f.yaml:5:14: log.level: \"warn\" is not one of debug, info, warning, error"
        ),
        (
            "http: {listen: 7077}\n", "f.yaml:5:16: http.listen: \"7077\" is not HOST:PORT, such as 127.0.0.1:7077"
        ),
        (
            "http: {}\n",
            "f.yaml:5:7: http: the key listen is missing; write listen: HOST:PORT, such as 127.0.0.1:7077"
        ),
        (
            "memory-celing: 1 GB\n",
            "f.yaml:5:1: unknown key \"memory-celing\"; the nearest is memory-ceiling; allowed are models, bundles, state, "
                + "profiles, calibration, settle, workers, threads, time-limit, memory-ceiling, retention, log, http"
        ),
        ("workers: 0\n", "f.yaml:5:10: workers: 0 is not allowed here; write a number from 1 to 64"),
    ])
    func refusal(yaml: String, message: String) {
        #expect(mistake(required + yaml) == message)
    }

    @Test(arguments: [
        (
            "models: m\nbundles: m/out\nstate: s\nprofiles: p\n",
            "f.yaml:2:10: bundles: m/out lies in the watched m; write a directory outside of it"
        ),
        (
            "models: [a, b]\nbundles: out\nstate: x/../b/./state\nprofiles: p\n",
            "f.yaml:3:8: state: x/../b/./state lies in the watched b; write a directory outside of it"
        ),
        (
            "models: m\nbundles: out/\nstate: ./out\nprofiles: p\n",
            "f.yaml:3:8: state: is the directory of bundles too; write another one"
        ),
        (
            "models: m\nbundles: b\nstate: s\n",
            "f.yaml:1:1: the key profiles is missing; write profiles: a text that is not empty"
        ),
    ])
    func folders(yaml: String, message: String) {
        #expect(mistake(yaml) == message)
    }

    @Test func neighboursOfAWatchedFolderAreFree() {
        #expect(mistake("models: m\nbundles: models\nstate: ../m\nprofiles: p\n") == nil)
    }

    @Test(arguments: [
        ("127.0.0.1:7077", "127.0.0.1", 7077), ("localhost:0", "localhost", 0), ("[::1]:65535", "::1", 65_535),
    ])
    func address(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port && address.description == text)
    }

    @Test(arguments: ["", ":", ":80", "a:", "a:65536", "a:+1", "::1:80", "[a]:80", "a b:80", "a:80x", "http://a:80"])
    func noAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    private func mistake(_ yaml: String) -> String? {
        do throws(ProfileError) {
            _ = try DaemonConfiguration.parse(yaml, file: "f.yaml")
            return nil
        } catch {
            return error.description
        }
    }
}
