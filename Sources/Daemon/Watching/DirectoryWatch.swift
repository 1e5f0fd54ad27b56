internal import CLinux
@preconcurrency internal import Dispatch
internal import Foundation
internal import Synchronization

/// Says that something in some directories has changed (inotify(7)): a reason to look, never an account of what happened.
///
/// An overflow of the kernel's queue is a change like any other, so nothing is lost by it. What inotify does not see
/// (network file systems, writes through a mapping) is left to whoever looks from time to time.
final class DirectoryWatch: Sendable {
    private struct Watches {
        var descriptors: [String: Int32] = [:]
        var paths: [Int32: String] = [:]

        mutating func remove(_ descriptor: Int32) {
            if let path = paths.removeValue(forKey: descriptor) { descriptors[path] = nil }
        }
    }

    private let descriptor: Int32
    private let source: any DispatchSourceRead
    private let watches: Mutex<Watches>
    private let hasChanged = Atomic(true)

    /// Everything that completes, renames or removes a file. Not IN_MODIFY: a download would wake its watcher for each
    /// block, and what changes is looked at anyway until it has settled.
    private static let mask =
        UInt32(IN_CREATE) | UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE)
        | UInt32(IN_ATTRIB) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_ONLYDIR)

    /// A watch of nothing yet; `change` is called on a queue of its own.
    init(change: @escaping @Sendable () -> Void) throws(DaemonError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw DaemonError(
                .system, place: "inotify",
                "\(String(cString: strerror(errno))); raise fs.inotify.max_user_instances")
        }
        watches = Mutex(Watches())
        let queue = DispatchQueue(label: "fettle.inotify")
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in
            self?.drain()
            self?.hasChanged.store(true, ordering: .relaxed)
            change()
        }
        let descriptor = descriptor
        source.setCancelHandler { close(descriptor) }
        source.activate()
    }

    deinit { source.cancel() }

    /// Whether something has changed since the last call; true for the first.
    func takeChange() -> Bool { hasChanged.exchange(false, ordering: .relaxed) }

    /// Watches these directories and no others. Returns those that the system refused, which are to be looked at from time
    /// to time instead.
    func watch(_ paths: Set<String>) -> [String] {
        watches.withLock { watches in
            for (path, number) in watches.descriptors where !paths.contains(path) {
                inotify_rm_watch(descriptor, number)
                watches.remove(number)
            }
            var refused: [String] = []
            for path in paths where watches.descriptors[path] == nil {
                let number = inotify_add_watch(descriptor, path, Self.mask)
                if number >= 0 {
                    // Two paths of one directory share a watch; the first path keeps it.
                    if watches.paths[number] == nil { watches.paths[number] = path }
                    watches.descriptors[path] = number
                    // What happened in it before now was not heard.
                    hasChanged.store(true, ordering: .relaxed)
                } else {
                    refused.append(path)
                }
            }
            return refused.sorted()
        }
    }

    /// Empties the kernel's queue, and forgets directories that moved away or are gone: their paths are watched anew.
    private func drain() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 8) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    if event.mask & (UInt32(IN_IGNORED) | UInt32(IN_MOVE_SELF)) != 0 { forget(event.wd) }
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
    }

    private func forget(_ number: Int32) {
        watches.withLock { watches in
            watches.remove(number)
            inotify_rm_watch(descriptor, number)
        }
    }
}
