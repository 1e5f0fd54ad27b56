/// A slice of a memory-mapped file; the mapping lives as long as a slice of it does.
package struct MappedBytes: @unchecked Sendable {
    let owner: AnyObject?
    let base: UnsafeRawPointer?
    /// The number of bytes.
    package let count: Int

    /// `count` bytes at `base`, which stay valid while `owner` lives.
    package init(owner: AnyObject, base: UnsafeRawPointer, count: Int) {
        self.owner = owner
        self.base = base
        self.count = count
    }

    private init() {
        owner = nil
        base = nil
        count = 0
    }

    /// No bytes.
    package static var empty: MappedBytes { MappedBytes() }

    /// Calls `body` with the bytes.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(owner) {} }
        return try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// The bytes at `offset..<offset + count`, sharing the mapping; nil where they are not all inside this slice.
    package func slice(offset: Int, count: Int) -> MappedBytes? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        guard let owner, let base else { return self }
        return MappedBytes(owner: owner, base: base + offset, count: count)
    }
}
