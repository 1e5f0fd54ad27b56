internal import Foundation

/// Tells the service manager how the daemon is: the protocol of sd_notify(3), without libsystemd. Says nothing where
/// nobody listens.
package struct ServiceManager: Sendable {
    private let socket: String?
    /// Whether the manager wants to hear a heartbeat.
    package let hasWatchdog: Bool

    /// The manager that `environment` names.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment, process: Int32 = getpid()) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
        hasWatchdog = isForUs && (environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0) > 0
    }

    /// Everything is up.
    package func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    /// A line for `systemctl status`.
    package func status(_ text: String) { send("STATUS=\(text)") }

    /// The job loop has come around once more.
    package func beat() {
        if hasWatchdog { send("WATCHDOG=1") }
    }

    /// The configuration is being read anew; `ready` ends it.
    package func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
    }

    /// The daemon is on its way out.
    package func stopping() { send("STOPPING=1") }

    private func send(_ message: String) {
        guard let socket else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // "@" stands for the first byte of an abstract name, which is 0.
        var path = Array(socket.utf8)
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let descriptor = Foundation.socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
