/// Where everything lies in a file's bytes of a matrix whose indices are coded; in memory it is in layout R16.
///
/// [prologue of R16][scales: for each row block and group 16 halves, nothing between them][indices: the code, the lanes' states, words,
/// zeros up to a whole line]. Indices stand row by row.
struct CodedLayout: Hashable, Sendable {
    /// In memory.
    let resident: R16Layout
    /// Tenths of a bit for each index.
    private let rate: Int

    /// The layout of a format with coded indices for a legal shape; nil for other formats.
    init?(_ format: GridFormat, rows: Int, columns: Int) {
        guard let rate = format.indexRate else { return nil }
        self.rate = rate
        resident = R16Layout(format, rows: rows, columns: columns)
    }

    /// Bytes of the scales of a row block.
    var blockScaleBytes: Int {
        resident.scales == .tensor ? 0 : resident.groups * R16Layout.rowsPerBlock * MemoryLayout<UInt16>.size
    }
    /// Where the scales begin.
    var scaleOffset: Int { resident.prologueBytes }
    /// Where the coded indices begin.
    var indexOffset: Int { scaleOffset + resident.rowBlocks * blockScaleBytes }
    /// Bytes that there are for the indices: what the rate says, at least a line, and what is left of the last line.
    var indexBytes: Int { byteCount - indexOffset }
    /// Bytes of the matrix.
    var byteCount: Int {
        R16Layout.lines(indexOffset + max(R16Layout.lineBytes, (resident.rows * resident.columns * rate + 79) / 80))
    }
}
