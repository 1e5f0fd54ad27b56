internal import Foundation

/// A file mapped into memory, read-only. Its bytes are paged in when they are read, and never written.
///
/// The mapping assumes that nobody shortens the file while it is read: a page that is gone ends the process (SIGBUS),
/// which is why the daemon maps models in a child process only.
package struct MappedFile: Sendable {
    /// Path of the file, as given.
    package let path: String
    /// All bytes of the file; none for an empty one.
    package let bytes: MappedBytes

    /// Maps the file at `path`.
    ///
    /// - Throws: `unreadable` where it does not exist, is not a regular file, or the system refuses.
    package init(path: String) throws(ModelError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw ModelError(.unreadable, file: path, Self.explain(errno))
        }
        var isKept = false
        defer { if !isKept { close(descriptor) } }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw ModelError(.unreadable, file: path, Self.explain(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
            throw ModelError(.unreadable, file: path, "is \(kind); give the path of a file")
        }
        let count = Int(status.st_size)
        guard count > 0 else {
            self.init(path: path, bytes: .empty)
            return
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw ModelError(.unreadable, file: path, Self.explain(errno))
        }
        isKept = true
        let mapping = Mapping(base: base, count: count, descriptor: descriptor, path: path)
        self.init(path: path, bytes: MappedBytes(owner: mapping, base: base, count: count))
    }

    private init(path: String, bytes: MappedBytes) {
        self.path = path
        self.bytes = bytes
    }

    fileprivate static func explain(_ code: Int32) -> String {
        let reason = String(cString: strerror(code))
        switch code {
        case ENOENT, ENOTDIR: return "cannot be read: \(reason); check the path"
        case EACCES, EPERM: return "cannot be read: \(reason); grant read permission"
        default: return "cannot be read: \(reason)"
        }
    }
}

extension MappedBytes {
    /// Takes the pages that hold bytes `range` out of this process. They come back from the file when they are read again.
    package func drop(_ range: Range<Int>) {
        guard let mapping = owner as? Mapping, let base, range.lowerBound >= 0, range.upperBound <= count
        else { return }
        mapping.drop(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }
}

extension MappedBytes {
    /// Copies bytes `range` to `target`, which has as many. Those of a file are read, not mapped: none is in this process twice.
    ///
    /// - Throws: `unreadable` where the system refuses or the file has been shortened.
    package func read(_ range: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(ModelError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count && range.count == target.count)
        guard let base, !range.isEmpty else { return }
        if let mapping = owner as? Mapping {
            try mapping.read(from: base + range.lowerBound, into: target)
        } else {
            withExtendedLifetime(owner) {
                target.copyMemory(from: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
            }
        }
    }
}

/// What a slice of a mapped file keeps alive.
private final class Mapping {
    private let base: UnsafeMutableRawPointer
    private let count: Int
    private let descriptor: Int32
    private let path: String

    /// Takes over the mapping and the file that it is of.
    init(base: UnsafeMutableRawPointer, count: Int, descriptor: Int32, path: String) {
        self.base = base
        self.count = count
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        munmap(base, count)
        close(descriptor)
    }

    /// Reads what is mapped at `start` from the file.
    func read(from start: UnsafeRawPointer, into target: UnsafeMutableRawBufferPointer) throws(ModelError) {
        let offset = UnsafeRawPointer(base).distance(to: start)
        var done = 0
        while done < target.count {
            let got = pread(
                descriptor, target.baseAddress.map { $0 + done }, target.count - done, off_t(offset + done))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                throw ModelError(
                    .unreadable, file: path, place: "byte \(offset + done)",
                    got < 0 ? MappedFile.explain(errno) : "the file has become shorter; fetch or make it again")
            }
            done += got
        }
    }

    /// Bytes around a page that the system may map together with it where the file is in memory: on Linux 64 KiB, or the whole
    /// piece in which it is cached, at most a huge page.
    private static let mappedTogether = 2 << 20

    /// Forgets the pages that `bytes`, a part of the mapping, lie on, and those that came together with them.
    func drop(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        let first = UnsafeMutableRawPointer(mutating: start)
        let from = max(base, first.alignedDown(toMultipleOf: Self.mappedTogether))
        let to = min(base + count, (first + bytes.count).alignedUp(toMultipleOf: Self.mappedTogether))
        madvise(from, from.distance(to: to), MADV_DONTNEED)
    }
}
