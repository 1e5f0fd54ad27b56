#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Zeroed memory straight from the system, so that what it adds to the process is what was asked for, in whole pages.
final class MappedRegion: @unchecked Sendable {
    /// Bytes of a page.
    static let pageBytes = 4096

    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// `byteCount` zero bytes, rounded up to whole pages. Throws where the system has no more.
    init(byteCount: Int, for purpose: String) throws(RuntimeError) {
        self.byteCount = Self.wholePages(byteCount)
        guard
            let base = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else {
            throw RuntimeError(
                .outOfMemory, place: purpose,
                "the system refuses \(self.byteCount) bytes; ask for a shorter context or free memory")
        }
        self.base = base
    }

    deinit { munmap(base, byteCount) }

    /// `bytes` rounded up to whole pages, at least one.
    static func wholePages(_ bytes: Int) -> Int {
        max(1, (bytes + pageBytes - 1) / pageBytes) * pageBytes
    }
}
