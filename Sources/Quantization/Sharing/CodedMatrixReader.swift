internal import CKernels

/// Turns the stored bytes of a matrix with coded indices into layout R16, a row block at a time, in order. The bytes are not
/// trusted.
package final class CodedMatrixReader {
    private let place: String
    private let stored: CodedLayout
    private let bytes: UnsafeRawBufferPointer
    private let decoder: IndexDecoder
    private var block = 0
    private var indices: [UInt8]

    /// A reader of `bytes`, which must stay as long as it lives. Throws where they cannot be a matrix of this format and shape.
    package init(
        format: Format, rows: Int, columns: Int, bytes: UnsafeRawBufferPointer
    ) throws(QuantizationError) {
        place = "\(format) matrix of \(rows) x \(columns)"
        guard format.isLegal(rows: rows, columns: columns), case .grid(let grid) = format,
            let stored = CodedLayout(grid, rows: rows, columns: columns), bytes.count == stored.byteCount,
            let decoder = IndexDecoder(UnsafeRawBufferPointer(rebasing: bytes[stored.indexOffset...])),
            decoder.highest < 1 << grid.bits
        else { throw Self.damaged(place) }
        self.stored = stored
        self.bytes = bytes
        self.decoder = decoder
        indices = [UInt8](repeating: 0, count: min(rows, R16Layout.rowsPerBlock) * columns)
    }

    /// The prologue of layout R16.
    package var prologue: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[..<stored.scaleOffset])
    }

    /// Stored bytes before this one are not read again, but for scales.
    package var read: Int {
        guard let next = decoder.next, let base = bytes.baseAddress else { return 0 }
        return next - base
    }

    /// Writes the next row block, whole. Throws where the indices end before it does.
    package func readBlock(into target: UnsafeMutableRawBufferPointer) throws(QuantizationError) {
        let layout = stored.resident
        guard block < layout.rowBlocks else { throw Self.damaged(place) }
        let rows = layout.rows(ofBlock: block)
        let scales = stored.scaleOffset + block * stored.blockScaleBytes
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[scales..<scales + stored.blockScaleBytes]))
        UnsafeMutableRawBufferPointer(rebasing: target[stored.blockScaleBytes..<layout.tileOffset])
            .initializeMemory(as: UInt8.self, repeating: 0)
        let tiles = UnsafeMutableRawBufferPointer(rebasing: target[layout.tileOffset..<layout.blockStride])
        let count = rows.count * layout.columns
        let isWhole = indices.withUnsafeMutableBufferPointer { indices in
            guard decoder.decode(into: UnsafeMutableBufferPointer(rebasing: indices[..<count])) else { return false }
            fettle_pack_tiles(
                indices.baseAddress, layout.columns, Int32(rows.count), layout.columns, Int32(layout.bits),
                tiles.assumingMemoryBound(to: UInt8.self).baseAddress)
            return true
        }
        guard isWhole else { throw Self.damaged(place) }
        block += 1
    }

    /// Throws unless every row block has been read and the code has come to its end.
    package func finish() throws(QuantizationError) {
        guard block == stored.resident.rowBlocks, decoder.isComplete else { throw Self.damaged(place) }
    }

    private static func damaged(_ place: String) -> QuantizationError {
        QuantizationError(
            .malformed, place: place, "its coded indices are damaged; copy the file or make the bundle again")
    }
}
