package import Compute
package import ModelFiles

/// Packed weights side by side, in the order in which they move in, on huge pages where the system has them.
///
/// Matrices come from a mapped file a block at a time, and the mapping behind a block is dropped: at no time is more than one
/// block in memory twice.
package final class WeightsArena: @unchecked Sendable {
    /// Bytes that move before the mapping behind them is dropped.
    package static let blockBytes = 256 << 10

    private let region: MappedRegion
    private var used = 0

    /// Room for tensors of these sizes. Throws where the system has no memory for them.
    package init(holding sizes: [Int]) throws(RuntimeError) {
        region = try MappedRegion(
            byteCount: sizes.reduce(0) { $0 + Self.wholeLines($1) }, for: "weights", hugePages: true)
    }

    /// Copies a tensor in behind the last one. Throws where no room was made for it.
    package func copy(_ source: AlignedBytes) throws(RuntimeError) -> AlignedBytes {
        let target = try next(source.count)
        source.withUnsafeBytes { target.copyMemory(from: $0) }
        return AlignedBytes(UnsafeRawBufferPointer(target), keptBy: self)
    }

    /// Moves a tensor in behind the last one. Throws where no room was made for it.
    package func move(_ source: MappedBytes) throws(RuntimeError) -> AlignedBytes {
        let target = try next(source.count)
        var first = 0
        while first < source.count {
            let block = first..<min(source.count, first + Self.blockBytes)
            source.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: target[block])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[block]))
            }
            source.drop(block)
            first = block.upperBound
        }
        return AlignedBytes(UnsafeRawBufferPointer(target), keptBy: self)
    }

    /// The next `count` bytes.
    private func next(_ count: Int) throws(RuntimeError) -> UnsafeMutableRawBufferPointer {
        guard count <= region.byteCount - used else {
            throw RuntimeError(
                .malformedWeights, place: "weights", "\(count) more bytes where no room was made for them")
        }
        defer { used += Self.wholeLines(count) }
        return UnsafeMutableRawBufferPointer(start: region.base + used, count: count)
    }

    private static func wholeLines(_ bytes: Int) -> Int {
        (bytes + AlignedBytes.alignment - 1) / AlignedBytes.alignment * AlignedBytes.alignment
    }
}
