#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Zeroed memory straight from the system, so that what it adds to the process is what was asked for, in whole pages.
final class MappedRegion: @unchecked Sendable {
    /// Bytes of a page.
    static let pageBytes = 4096

    /// Bytes of a huge page.
    private static let hugePageBytes = 2 << 20

    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int

    /// `byteCount` zero bytes, rounded up to whole pages. With `hugePages` the region begins on a huge page and the system is
    /// asked for as many as fit wholly, so that what is resident stays what was asked for. Throws where the system has no
    /// more.
    init(byteCount: Int, for purpose: String, hugePages: Bool = false) throws(RuntimeError) {
        self.byteCount = Self.wholePages(byteCount)
        let whole = hugePages ? self.byteCount / Self.hugePageBytes * Self.hugePageBytes : 0
        mappedBytes = self.byteCount + (whole > 0 ? Self.hugePageBytes : 0)
        guard
            let mapping = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else {
            throw RuntimeError(
                .outOfMemory, place: purpose,
                "the system refuses \(self.byteCount) bytes; ask for a shorter context or free memory")
        }
        self.mapping = mapping
        guard whole > 0 else {
            base = mapping
            return
        }
        base = mapping.alignedUp(toMultipleOf: Self.hugePageBytes)
        madvise(base, whole, MADV_HUGEPAGE)
    }

    deinit { munmap(mapping, mappedBytes) }

    /// `bytes` rounded up to whole pages, at least one.
    static func wholePages(_ bytes: Int) -> Int {
        max(1, (bytes + pageBytes - 1) / pageBytes) * pageBytes
    }
}
