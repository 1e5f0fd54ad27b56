internal import CLinux
internal import Foundation

/// The lock that makes this daemon the only one of its state directory (flock(2)).
///
/// Children inherit its descriptor, so that the lock is free only when the daemon and the last child that it left behind
/// are gone: the next daemon never works beside a leftover.
final class StateLock: Sendable {
    /// For children.
    let descriptor: Int32

    /// How long a daemon waits for what a killed one left behind.
    private static let patience = Duration.seconds(2)

    /// Takes the lock of `directory`, which is made where it is missing.
    ///
    /// - Throws: `alreadyRunning`, or `system` with the reason.
    init(directory: String) throws(DaemonError) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw DaemonError(.system, place: directory, "cannot be made: \(error.localizedDescription)")
        }
        let path = "\(directory)/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw DaemonError(.system, place: path, "cannot be opened: \(String(cString: strerror(errno)))")
        }
        let end = ContinuousClock.now + Self.patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, ContinuousClock.now < end else {
                let holder = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "?"
                close(descriptor)
                throw DaemonError(
                    .alreadyRunning, place: directory,
                    "another daemon (process \(holder.prefix(20))) works here; stop it, or name another state")
            }
            usleep(50_000)
        }
        ftruncate(descriptor, 0)
        let text = Array(String(getpid()).utf8)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }
}
