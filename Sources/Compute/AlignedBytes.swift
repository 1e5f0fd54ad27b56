/// Immutable bytes that begin on a 64-byte boundary, for kernels that take a pointer to whole cache lines.
package final class AlignedBytes: @unchecked Sendable {
    /// The alignment of the first byte.
    package static let alignment = 64

    private let storage: UnsafeMutableRawBufferPointer

    /// `count` bytes that `initialize` writes, every one of them: what it leaves is not zero. They never change afterwards.
    package init<Failure: Error>(
        count: Int, _ initialize: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        storage = .allocate(byteCount: count, alignment: Self.alignment)
        try initialize(storage)
    }

    deinit { storage.deallocate() }

    package var count: Int { storage.count }

    /// The bytes, valid while this object lives.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }

    /// Calls `body` with the bytes.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }
}

extension AlignedBytes: Equatable {
    package static func == (left: AlignedBytes, right: AlignedBytes) -> Bool {
        left.bytes.elementsEqual(right.bytes)
    }
}
