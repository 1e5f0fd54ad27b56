/// A slice of a memory-mapped file; the mapping lives as long as a slice of it does.
package struct MappedBytes: @unchecked Sendable {
    private let owner: AnyObject
    private let base: UnsafeRawPointer
    /// The number of bytes.
    package let count: Int

    /// `count` bytes at `base`, which stay valid while `owner` lives.
    package init(owner: AnyObject, base: UnsafeRawPointer, count: Int) {
        self.owner = owner
        self.base = base
        self.count = count
    }

    /// Calls `body` with the bytes.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(owner) { body(UnsafeRawBufferPointer(start: base, count: count)) }
    }
}
