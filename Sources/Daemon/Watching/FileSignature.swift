internal import Compute
internal import Foundation

/// What changes when a file's content may have: device, inode, size, times of modification and of change.
struct FileSignature: Sendable, Equatable {
    /// As it stands in the store.
    let text: String
    let bytes: Int
    let isDirectory: Bool
    let isRegular: Bool

    /// The file at `path`, through symbolic links; nil where there is none.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        bytes = Int(status.st_size)
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        isRegular = status.st_mode & S_IFMT == S_IFREG
        text =
            "\(status.st_dev):\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            + ":\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
    }

    /// One signature for many files, in the order of their paths; a file that is not there counts as such.
    static func combined(_ paths: some Sequence<String>) -> String {
        let hash = SHA256()
        for path in paths.sorted() {
            hash.update("\(path)\u{0}\(FileSignature(path: path)?.text ?? "none")\u{0}".utf8)
        }
        return hash.hexadecimal()
    }
}
