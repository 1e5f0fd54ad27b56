/// Where everything lies in a packed matrix: layout R16, 16 output rows side by side, so that a vector lane is a row.
///
/// A matrix is [prologue][row block 0][row block 1]...; row block b holds rows 16b...16b+15, missing rows being zeros.
/// - Prologue: absent unless the scale is the tensor's or there are codebooks. First 64 bytes with the half-precision tensor
///   scale in bytes 0 and 1 (only if the scale is the tensor's), then the codebooks, 2^bits int8 entries each, the tensor's
///   one or one for each row block in order, together padded with zeros to a multiple of 64.
/// - Row block: [scales][offsets][tiles], each padded with zeros to a multiple of 64 bytes.
///   - scales: for each group 16 values in the order of the rows, half precision or float32; absent for a tensor scale.
///   - offsets: for each group 16 zero points (a byte each) or 16 minimums (float32); absent for a constant offset.
///   - tiles of 32 columns in order, 64 * bits bytes each: bit planes in the order 4-bit, 2-bit, 1-bit (8 bits: one 8-bit
///     plane), the larger plane holding the lower bits of a code: p4 | p2 << 4 | p1 << 6 (7 bits), p4 | p2 << 4 (6),
///     p4 | p1 << 4 (5), p2 | p1 << 2 (3).
///
/// Step s = 0...7 is columns 4s...4s+3 of a tile; the byte index in a 64-byte line is row * 4 + column of the step.
/// - 8-bit plane: line s holds the codes of step s.
/// - 4-bit plane, 4 lines: line t holds step t in the low nibble and step t+4 in the high one.
/// - 2-bit plane, 2 lines: line t holds step t+2j in bits 2j and 2j+1, j = 0...3.
/// - 1-bit plane, 1 line: bit j holds step j.
/// - float16 (16 "bits", no scales): two lines for each step, value index row * 4 + column of the step.
package struct R16Layout: Hashable, Sendable {
    /// How scales are stored.
    package enum Scales: Hashable, Sendable {
        /// One half-precision scale in the prologue.
        case tensor
        /// Half precision in each row block.
        case float16
        /// float32 in each row block.
        case float32
        /// Float16 weights have none.
        case absent
    }

    /// How offsets are stored.
    package enum Offsets: Hashable, Sendable {
        /// Not at all: it is the same for the whole matrix.
        case constant(Int)
        /// A byte each.
        case zeroPoints
        /// float32 each.
        case minimums
    }

    package let rows: Int
    package let columns: Int
    /// Bits of a code, 2...8, or 16 for float16 weights.
    package let bits: Int
    /// Columns that share a scale and an offset; `columns` for granularity channel and tensor.
    package let group: Int
    package let scales: Scales
    package let offsets: Offsets
    /// 0, 1 or the number of row blocks.
    package let codebooks: Int

    /// The layout of a matrix with these properties; the shape must be one that `holds` accepts.
    package init(
        rows: Int, columns: Int, bits: Int, group: Int, scales: Scales, offsets: Offsets, codebooks: Int
    ) {
        self.rows = rows
        self.columns = columns
        self.bits = bits
        self.group = group
        self.scales = scales
        self.offsets = offsets
        self.codebooks = codebooks
    }

    /// The layout of `format` for a legal shape.
    package init(_ format: GridFormat, rows: Int, columns: Int) {
        let codebooks =
            switch format.grid {
            case .uniform, .affine: 0
            case .codebook: format.rowBlockCodebooks ? Self.rowBlocks(rows: rows) : 1
            case .log2, .twoPowers: 1
            }
        self.init(
            rows: rows, columns: columns, bits: format.bits, group: format.group(columns: columns),
            scales: format.granularity == .tensor ? .tensor : .float16,
            offsets: format.grid == .affine ? .zeroPoints : .constant(format.constantOffset), codebooks: codebooks)
    }

    /// The layout of half-precision weights.
    package init(float16Rows rows: Int, columns: Int) {
        self.init(
            rows: rows, columns: columns, bits: 16, group: columns, scales: .absent, offsets: .constant(0), codebooks: 0
        )
    }

    /// Rows of a row block: the lanes of a vector.
    package static let rowsPerBlock = 16
    /// Columns of a tile.
    package static let columnsPerTile = 32
    /// Every section is a multiple of this many bytes.
    package static let lineBytes = 64

    /// Whether the layout has room for such a matrix: columns in whole tiles, and no size near an overflow.
    package static func holds(rows: Int, columns: Int) -> Bool {
        let longest = 1 << 30
        return (1...longest).contains(rows) && (1...longest).contains(columns)
            && columns.isMultiple(of: columnsPerTile) && rows * columns <= 1 << 42
    }

    /// The number of blocks of 16 rows.
    package static func rowBlocks(rows: Int) -> Int { (rows + rowsPerBlock - 1) / rowsPerBlock }

    /// `bytes` rounded up to whole lines.
    static func lines(_ bytes: Int) -> Int { (bytes + lineBytes - 1) / lineBytes * lineBytes }
}

extension R16Layout {
    package var rowBlocks: Int { Self.rowBlocks(rows: rows) }
    /// Scales of a row.
    package var groups: Int { columns / group }
    /// Entries of a codebook.
    package var codebookEntries: Int { 1 << bits }

    /// Where the first codebook begins.
    package var codebookOffset: Int { scales == .tensor ? Self.lineBytes : 0 }
    /// Bytes before row block 0.
    package var prologueBytes: Int {
        codebookOffset + (codebooks == 0 ? 0 : Self.lines(codebooks * codebookEntries))
    }

    /// Bytes of the scales of a row block.
    package var scaleBytes: Int {
        switch scales {
        case .tensor, .absent: 0
        case .float16: Self.lines(groups * Self.rowsPerBlock * 2)
        case .float32: groups * Self.rowsPerBlock * 4
        }
    }

    /// Bytes of the offsets of a row block, which follow its scales.
    package var offsetBytes: Int {
        switch offsets {
        case .constant: 0
        case .zeroPoints: Self.lines(groups * Self.rowsPerBlock)
        case .minimums: groups * Self.rowsPerBlock * 4
        }
    }

    /// Where the tiles begin in a row block.
    package var tileOffset: Int { scaleBytes + offsetBytes }
    /// Bytes of a tile.
    package var tileBytes: Int { Self.lineBytes * bits }
    /// Bytes of a row block.
    package var blockStride: Int { tileOffset + columns / Self.columnsPerTile * tileBytes }
    /// Bytes of the matrix.
    package var byteCount: Int { prologueBytes + rowBlocks * blockStride }
}
