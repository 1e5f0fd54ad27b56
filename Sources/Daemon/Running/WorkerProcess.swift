internal import CLinux
internal import Foundation

/// What a child of the daemon does to itself before it works: it steps back behind everything else on the machine.
package enum WorkerProcess {
    /// Makes the calling process a worker of `parent`.
    ///
    /// It dies with its parent, runs at nice 10 with idle I/O, is the first to go where memory runs out, and may have at
    /// most `memoryCeiling` bytes of memory of its own. The ceiling is RLIMIT_DATA and not RLIMIT_AS: the model's mapped
    /// file is no memory that anybody else misses, and may be larger than the ceiling.
    package static func enter(parent: Int32, memoryCeiling: Int?) {
        follow(parent: parent)
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        _ = fettle_idle_io()
        try? Data("500".utf8).write(to: URL(fileURLWithPath: "/proc/self/oom_score_adj"))
        if let memoryCeiling { _ = fettle_limit_memory(UInt(memoryCeiling)) }
    }

    /// Has the calling process killed when `parent`, which made it, ends.
    package static func follow(parent: Int32) {
        _ = fettle_die_with_parent()
        // The parent may have ended before this was asked for.
        if getppid() != parent { _exit(EXIT_FAILURE) }
    }
}
