internal import Foundation
internal import Synchronization

/// SIGINT and SIGTERM, turned into a question that long work asks: stop at the next safe place, keeping what is done.
struct Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Takes over both signals; a second one ends the process at once.
    init() {
        for signal in [SIGINT, SIGTERM] {
            Foundation.signal(signal) { number in
                if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(128 + number) }
            }
        }
    }

    /// Whether a signal has come.
    var isRequested: Bool { Self.requested.load(ordering: .relaxed) }
}
