package import Compute
package import ModelFiles
package import Quantization

/// Packed weights in one region, on huge pages where the system has them, so that each thread reads its own from one end to
/// the other.
///
/// The region has a part for each thread; a matrix whose row blocks divide evenly among the threads has an equal share in each
/// part, in the order in which matrices move in. Others, codebooks and tensor scales lie in a part that all threads read.
/// Matrices are read from the file to their places; those whose indices are coded are decoded from a mapping, which is dropped
/// behind each block: at no time is more than one block in memory twice.
package final class WeightsArena: @unchecked Sendable {
    /// Bytes that are decoded before the mapping behind them is dropped.
    package static let blockBytes = 256 << 10

    private let region: MappedRegion
    private let threads: Int
    private let partBytes: Int
    private var usedOfPart = 0
    private var usedInCommon = 0

    /// Room for matrices of these layouts, for a pool of `threads`. Throws where the system has no memory for them.
    package init(holding layouts: [R16Layout], threads: Int) throws(RuntimeError) {
        self.threads = threads
        var part = 0
        var common = 0
        for layout in layouts {
            let place = Self.place(layout, threads: threads)
            part += place.part
            common += place.common
        }
        partBytes = part
        region = try MappedRegion(byteCount: threads * part + common, for: "weights", hugePages: true)
    }

    /// Moves a matrix in behind the last one. Throws where the bytes are not a matrix of this layout, or where no room was made
    /// for it.
    package func move(_ source: MappedBytes, layout: R16Layout) throws -> PlacedBlocks {
        try put(layout, byteCount: source.count) { range, target in try source.read(range, into: target) }
    }

    /// As `move`, for a matrix whose indices are coded: each row block is decoded in its place, and the mapping behind what has been
    /// read is dropped. Throws a `QuantizationError` where the bytes are damaged.
    package func decode(_ source: MappedBytes, format: Format, layout: R16Layout) throws -> PlacedBlocks {
        try source.withUnsafeBytes { bytes throws in
            let reader = try CodedMatrixReader(
                format: format, rows: layout.rows, columns: layout.columns, bytes: bytes)
            var dropped = 0
            let placed = try put(layout, byteCount: layout.byteCount) { range, target in
                guard range.lowerBound > 0 else {
                    target.copyMemory(from: reader.prologue)
                    return
                }
                for first in stride(from: 0, to: target.count, by: layout.blockStride) {
                    try reader.readBlock(
                        into: UnsafeMutableRawBufferPointer(rebasing: target[first..<first + layout.blockStride]))
                    if reader.read - dropped >= Self.blockBytes {
                        source.drop(dropped..<reader.read)
                        dropped = reader.read
                    }
                }
            }
            try reader.finish()
            source.drop(dropped..<source.count)
            return placed
        }
    }

    /// As `move`, for bytes that are in memory.
    package func copy(_ source: AlignedBytes, layout: R16Layout) throws -> PlacedBlocks {
        try put(layout, byteCount: source.count) { range, target in
            source.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
        }
    }

    /// Finds the places of a matrix's parts and has `copy` fill each from a range of the matrix's bytes.
    private func put(
        _ layout: R16Layout, byteCount: Int, _ copy: (Range<Int>, UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> PlacedBlocks {
        let place = Self.place(layout, threads: threads)
        guard byteCount == layout.byteCount else {
            throw RuntimeError(
                .malformedWeights, place: "weights",
                "\(byteCount) bytes stored, but \(layout.byteCount) needed; the file is damaged, make the bundle again")
        }
        guard usedOfPart + place.part <= partBytes,
            threads * partBytes + usedInCommon + place.common <= region.byteCount
        else {
            throw RuntimeError(
                .malformedWeights, place: "weights", "\(byteCount) bytes where no room was made for them")
        }
        let common = region.base + threads * partBytes + usedInCommon
        let shares = place.part > 0 ? threads : 1
        let blocks = place.part > 0 ? region.base + usedOfPart : common + layout.prologueBytes
        try copy(0..<layout.prologueBytes, UnsafeMutableRawBufferPointer(start: common, count: layout.prologueBytes))
        let shareBytes = (layout.byteCount - layout.prologueBytes) / shares
        for share in 0..<shares {
            let first = layout.prologueBytes + share * shareBytes
            try copy(
                first..<first + shareBytes,
                UnsafeMutableRawBufferPointer(start: blocks + share * partBytes, count: shareBytes))
        }
        usedOfPart += place.part
        usedInCommon += place.common
        return PlacedBlocks(
            prologue: UnsafeRawPointer(common), blocks: UnsafeRawPointer(blocks), shares: shares,
            shareStride: partBytes, owner: self)
    }

    /// Bytes that a matrix takes in each thread's part and in the common one.
    private static func place(_ layout: R16Layout, threads: Int) -> (part: Int, common: Int) {
        let isDivided = threads > 1 && layout.rowBlocks.isMultiple(of: threads)
        return isDivided
            ? (layout.rowBlocks / threads * layout.blockStride, layout.prologueBytes) : (0, layout.byteCount)
    }
}

/// Where the parts of a packed matrix lie.
package struct PlacedBlocks: @unchecked Sendable {
    let prologue: UnsafeRawPointer
    let blocks: UnsafeRawPointer
    /// Equal shares of the row blocks, each contiguous.
    let shares: Int
    /// Bytes from a share to the next.
    let shareStride: Int
    let owner: AnyObject

    init(prologue: UnsafeRawPointer, blocks: UnsafeRawPointer, shares: Int, shareStride: Int, owner: AnyObject) {
        self.prologue = prologue
        self.blocks = blocks
        self.shares = shares
        self.shareStride = shareStride
        self.owner = owner
    }
}
