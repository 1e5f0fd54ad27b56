import Daemon
import Foundation
import Testing

/// The daemon among its neighbours: one of a kind, stopped, reloaded, watched.
@Suite(.serialized) struct ServiceTests {
    @Test func aSecondDaemonIsRefused() async throws {
        let run = try DaemonRun()
        try run.start()
        try await run.waitForLog("ready")
        let second = try Shell.run("'\(DaemonRun.binary)' daemon --config '\(run.folder("fettle.yaml"))'")
        #expect(second.status == 1)
        #expect(second.output.contains("another daemon"), "\(second.output)")
        #expect(second.output.split(separator: "\n").count == 1)
    }

    @Test func stoppingKeepsTheWorkAndTakesLessThanTenSeconds() async throws {
        let run = try DaemonRun(profiles: ["one": DaemonRun.slowProfile])
        try FileManager.default.copyItem(atPath: DaemonRun.bard, toPath: run.folder("models/bard"))
        try run.start()
        try await run.wait("the job runs") { $0.first?.state == .running && $0.first?.stage != nil }
        let start = ContinuousClock.now
        #expect(try run.stop() == 0)
        #expect(ContinuousClock.now - start < .seconds(10))
        let job = try #require(await run.jobs().first)
        #expect(job.state == .queued && job.attempts == 0 && job.stage != nil)
        try await run.noChildIsLeft()
    }

    @Test func aBadConfigurationIsRefusedAndAGoodOneTaken() async throws {
        let run = try DaemonRun()
        try run.folder.write(DaemonRun.profile("two"), to: "profiles/two.yaml")
        try TinyModel.gguf(seed: 7).write(to: URL(filePath: run.folder("models/tiny.gguf")))
        try run.start()
        try await run.wait("the model is tuned") { $0.count == 1 && $0[0].state == .done }
        try run.configure(profiles: ["one", "two"], settings: "settle: 5 parsecs\n")
        try await run.waitForLog("configuration refused")
        try run.configure(profiles: ["one", "two"], settings: "settle: 100 ms\nlog: {level: debug, format: json}\n")
        try await run.waitForLog("\"message\":\"configuration reloaded\"")
        try await run.wait("the second profile is tuned for") { $0.count == 2 && $0[1].state == .done }
        run.kill(SIGHUP)
        #expect(try run.stop() == 0)
    }

    /// The manager's side of sd_notify(3): a bound datagram socket.
    @Test func theServiceManagerHearsOfEverything() async throws {
        let folder = try Folder()
        let socket = try DatagramSocket(path: folder("notify"))
        let run = try DaemonRun(environment: [
            "NOTIFY_SOCKET": folder("notify"), "WATCHDOG_USEC": "2000000", "JOURNAL_STREAM": "1:2",
        ])
        try run.start()
        try await run.waitForLog("ready")
        run.kill(SIGHUP)
        try await Task.sleep(for: .seconds(3))
        #expect(try run.stop() == 0)
        let heard = socket.messages()
        #expect(heard.first?.hasPrefix("READY=1") == true)
        #expect(heard.filter { $0 == "WATCHDOG=1" }.count >= 2)
        #expect(heard.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") })
        #expect(heard.last == "STOPPING=1")
        #expect(run.log.contains("<6>ready"), "journald reads the level from the prefix")
    }

    @Test func theUnitIsSoundAndHardened() throws {
        let folder = try Folder()
        let made = try Shell.run("'\(DaemonRun.binary)' service unit > '\(folder("fettle.service"))'")
        #expect(made.status == 0)
        let unit = try String(contentsOfFile: folder("fettle.service"), encoding: .utf8)
        for line in ["Type=notify", "DynamicUser=yes", "ExecStart=/", "WatchdogSec="] { #expect(unit.contains(line)) }
        // A container has no systemd; where there is one it is the judge.
        guard try Shell.run("command -v systemd-analyze").status == 0 else { return }
        let verified = try Shell.run("systemd-analyze verify '\(folder("fettle.service"))' 2>&1")
        #expect(verified.status == 0 && verified.output.isEmpty, "\(verified.output)")
        // The threshold is in tenths.
        let security = try Shell.run(
            "systemd-analyze security --offline=true --threshold=20 '\(folder("fettle.service"))'")
        #expect(security.status == 0, "\(security.output)")
    }
}

/// A socket that keeps what was sent to it.
final class DatagramSocket {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit { close(descriptor) }

    func messages() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
        return messages
    }
}
