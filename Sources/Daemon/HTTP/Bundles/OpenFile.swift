internal import Dispatch
internal import Glibc
internal import NIOCore

/// A regular file open for reading: what is sent is the file that was listed, even if another takes its name meanwhile.
final class OpenFile: Sendable {
    let size: Int
    let modified: Int
    private let descriptor: Int32
    /// Disks may be slow: reads must not hold the threads that answer requests.
    private static let queue = DispatchQueue(label: "fettle.http.files", attributes: .concurrent)
    private static let block = 256 << 10

    /// Opens `path`; nil for what is missing, a link, or no regular file.
    init?(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        guard let status = FileStatus(descriptor: descriptor), status.isRegular else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        size = status.size
        modified = status.modified
    }

    deinit { close(descriptor) }

    /// Hands on the bytes in `range`, block by block.
    ///
    /// - Throws: `Shortened` where the file has become shorter than it was.
    func send(_ range: Range<Int>, to sink: (ByteBuffer) async throws -> Void) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let block = await read(offset, min(Self.block, range.upperBound - offset))
            guard block.readableBytes > 0 else { throw Shortened() }
            offset += block.readableBytes
            try await sink(block)
        }
    }

    /// The whole file, at most `limit` bytes; nil where it is larger or cannot be read.
    func contents(limit: Int) async -> ByteBuffer? {
        guard size <= limit else { return nil }
        var result = ByteBuffer()
        do {
            try await send(0..<size) { result.writeImmutableBuffer($0) }
        } catch {
            return nil
        }
        return result
    }

    /// The file no longer has what was promised of it.
    struct Shortened: Error {}

    private func read(_ offset: Int, _ count: Int) async -> ByteBuffer {
        await withCheckedContinuation { continuation in
            Self.queue.async { [self] in
                var buffer = ByteBuffer()
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { raw in
                    max(0, pread(descriptor, raw.baseAddress, min(count, raw.count), off_t(offset)))
                }
                continuation.resume(returning: buffer)
            }
        }
    }
}
