internal import Compute
internal import Glibc

/// What `stat` says of a file. Two are equal where neither content nor mode of the file can have changed between them.
struct FileStatus: Sendable, Equatable {
    private let mode: UInt32
    private let device: UInt64
    private let inode: UInt64
    private let modifiedNanoseconds: Int
    private let changed: Int
    private let changedNanoseconds: Int
    /// Bytes.
    let size: Int
    /// Seconds since 1970 of the last change of its content.
    let modified: Int

    /// The file at `path`, through symbolic links; nil where there is none.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// What stands at `path` itself, links not followed; nil where nothing does.
    init?(entry path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// An open file.
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
        modifiedNanoseconds = status.st_mtim.tv_nsec
        changed = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    var isLink: Bool { mode & S_IFMT == S_IFLNK }
    /// Whether users who are neither its owner nor in its group may do anything with it.
    var isOpenToAll: Bool { mode & 0o007 != 0 }

    /// What changes when the content may have, as it stands in the store: device, inode, size, times of modification and of
    /// change.
    var signature: String {
        "\(device):\(inode):\(size):\(modified).\(modifiedNanoseconds):\(changed).\(changedNanoseconds)"
    }

    /// One signature for many files, in the order of their paths; a file that is not there counts as such.
    static func signature(of paths: some Sequence<String>) -> String {
        let hash = SHA256()
        for path in paths.sorted() {
            hash.update("\(path)\u{0}\(FileStatus(path: path)?.signature ?? "none")\u{0}".utf8)
        }
        return hash.hexadecimal()
    }
}
