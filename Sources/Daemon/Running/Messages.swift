internal import Synchronization

/// The last line that a child said outside of its progress: what it failed of.
final class Messages: Sendable {
    private let kept = Mutex<String?>(nil)

    /// Takes a line; empty ones say nothing.
    func add(_ line: String) {
        guard !line.isEmpty else { return }
        let text = line.hasPrefix("error: ") ? String(line.dropFirst("error: ".count)) : line
        kept.withLock { $0 = text }
    }

    /// The last line, without `error: ` before it.
    var last: String? { kept.withLock { $0 } }
}
