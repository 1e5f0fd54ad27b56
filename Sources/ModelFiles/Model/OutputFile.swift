internal import Foundation

/// A file being written: it appears under its final name complete and synced, or not at all.
///
/// Bytes go to a hidden neighbour, which `finish()` renames; dropping the object without it removes the neighbour. Where
/// the path names a device or a pipe, bytes go there directly: renaming would replace it.
package final class OutputFile {
    /// The final path.
    package let path: String
    /// Bytes appended so far.
    package private(set) var count = 0

    private let partial: String
    private let isReplacing: Bool
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// Starts writing what will be at `path`.
    ///
    /// - Throws: `unwritable` with the system's reason.
    package init(path: String) throws(ModelError) {
        self.path = path
        var status = stat()
        let exists = stat(path, &status) == 0
        guard !exists || status.st_mode & S_IFMT != S_IFDIR else {
            throw ModelError(.unwritable, file: path, "is a directory; give the path of a file")
        }
        isReplacing = !exists || status.st_mode & S_IFMT == S_IFREG
        let name = (path as NSString).lastPathComponent
        let hidden = ".\(name).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).partial"
        let partial = ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent(hidden)
        self.partial = partial
        descriptor =
            isReplacing
            ? open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) : open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno) }
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            if isReplacing { unlink(partial) }
        }
    }

    /// Appends `bytes`.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ModelError) {
        count += bytes.count
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        if bytes.count > Self.bufferSize {
            try write(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    /// Appends `bytes`.
    package func append(_ bytes: [UInt8]) throws(ModelError) {
        try bytes.withUnsafeBufferPointer { buffer throws(ModelError) in try append(UnsafeRawBufferPointer(buffer)) }
    }

    /// Writes what is left, syncs, and gives the file its final name. Nothing can be appended after it.
    package func finish() throws(ModelError) {
        try flush()
        if isReplacing {
            guard fsync(descriptor) == 0 else { throw failure(errno) }
        }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0 else {
            let reason = errno
            if isReplacing { unlink(partial) }
            throw failure(reason)
        }
        guard !isReplacing || rename(partial, path) == 0 else {
            let reason = errno
            unlink(partial)
            throw failure(reason)
        }
    }

    private func flush() throws(ModelError) {
        try buffer.withUnsafeBufferPointer { buffer throws(ModelError) in try write(UnsafeRawBufferPointer(buffer)) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(ModelError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw failure(written < 0 ? errno : EIO) }
            rest = rest.dropFirst(written)
        }
    }

    private func failure(_ code: Int32) -> ModelError {
        let reason = String(cString: strerror(code))
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "; free some space and run it again"
            case EACCES, EPERM, EROFS: "; write to a directory where you have permission"
            case ENOENT, ENOTDIR: "; create the directory first"
            default: ""
            }
        return ModelError(.unwritable, file: path, "cannot be written: \(reason)\(remedy)")
    }
}
