internal import Glibc

/// What lstat says of a path: enough to tell what it is and whether it changed.
struct FileStatus: Sendable, Equatable {
    private let mode: UInt32
    private let device: UInt64
    private let inode: UInt64
    private let nanoseconds: Int
    let size: Int
    /// Seconds since 1970 of the last change of its content.
    let modified: Int

    /// The status of `path` itself, links not followed; nil where it is not there.
    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The status of an open file.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        mode = status.st_mode
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
}
