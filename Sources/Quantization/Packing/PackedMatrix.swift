package import Compute

/// A weight matrix as the kernels read it and as a bundle stores it: layout R16.
package struct PackedMatrix: Sendable, Equatable {
    package let format: Format
    /// Where everything lies in `bytes`.
    package let layout: R16Layout
    /// `layout.byteCount` bytes that begin on a 64-byte boundary.
    package let bytes: AlignedBytes

    package var rows: Int { layout.rows }
    package var columns: Int { layout.columns }
    /// Bits of a code, 2...8, or 16 for float16 weights.
    package var bits: Int { layout.bits }
    /// Columns that share a scale; `columns` for granularity channel and tensor.
    package var group: Int { layout.group }
    package var scales: R16Layout.Scales { layout.scales }
    package var offsets: R16Layout.Offsets { layout.offsets }
    /// How many codebooks there are: 0, 1 or one for each row block.
    package var codebooks: Int { layout.codebooks }
    package var prologueBytes: Int { layout.prologueBytes }
    package var blockStride: Int { layout.blockStride }

    /// A matrix over bytes that already are in `layout`.
    init(format: Format, layout: R16Layout, bytes: AlignedBytes) {
        self.format = format
        self.layout = layout
        self.bytes = bytes
    }

    /// The matrix that a bundle stores as `bytes`, which are copied. Throws where the format cannot have the shape or the
    /// number of bytes is wrong; every code is a legal one. GGUF's block types are not stored in this layout.
    package init(
        format: Format, rows: Int, columns: Int, bytes: UnsafeRawBufferPointer
    ) throws(QuantizationError) {
        let layout = try R16Layout(storing: format, rows: rows, columns: columns)
        guard bytes.count == layout.byteCount else {
            throw QuantizationError(
                .malformed, place: "\(format) matrix of \(rows) x \(columns)",
                "\(bytes.count) bytes stored, but \(layout.byteCount) needed; the file is damaged, make the bundle again"
            )
        }
        self.init(
            format: format, layout: layout,
            bytes: AlignedBytes(count: bytes.count) { $0.copyMemory(from: bytes) })
    }
}

extension R16Layout {
    /// The layout of a format that bundles store in it. Throws for an illegal shape and for GGUF's block types.
    package init(storing format: Format, rows: Int, columns: Int) throws(QuantizationError) {
        let place = "\(format) matrix of \(rows) x \(columns)"
        guard format.isLegal(rows: rows, columns: columns) else {
            throw QuantizationError(
                .illegalShape, place: place, "the format cannot divide its rows; choose another group or format")
        }
        switch format {
        case .float16: self.init(float16Rows: rows, columns: columns)
        case .grid(let grid): self.init(grid, rows: rows, columns: columns)
        case .block:
            throw QuantizationError(
                .illegalShape, place: place, "block types are stored in GGUF files, not in layout R16")
        }
    }
}
