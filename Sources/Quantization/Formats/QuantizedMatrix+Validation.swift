internal import Compute

extension QuantizedMatrix {
    /// Whether one scale serves the whole matrix.
    var hasTensorScale: Bool {
        if case .grid(let grid) = format { grid.granularity == .tensor } else { false }
    }

    /// Throws where the parts do not fit together: counts, the group, codes beyond the bits, or a grid that the format does
    /// not have.
    package func validate() throws(QuantizationError) {
        func fail(_ message: String) -> QuantizationError {
            QuantizationError(.malformed, place: "\(format) matrix of \(rows) x \(columns)", message)
        }
        guard R16Layout.holds(rows: rows, columns: columns) else {
            throw QuantizationError(
                .illegalShape, place: "\(format) matrix of \(rows) x \(columns)", "columns must be a multiple of 32")
        }
        guard (2...8).contains(bits), group > 0, columns.isMultiple(of: group), group.isMultiple(of: 16) else {
            throw fail("\(bits) bits and groups of \(group) do not suit it; bits are 2...8, groups divide the columns")
        }
        guard codes.count == rows * columns, codes.reduce(0, |) >> UInt8(bits - 1) <= 1 else {
            throw fail("needs \(rows * columns) codes below \(1 << bits)")
        }
        let slots = rows * (columns / group)
        guard scales.count == (hasTensorScale ? 1 : slots) else {
            throw fail("\(scales.count) scales, but \(hasTensorScale ? 1 : slots) needed")
        }
        guard offsets.count == nil || offsets.count == slots else {
            throw fail("\(offsets.count ?? 0) offsets, but \(slots) needed")
        }
        let entries = 1 << bits
        guard [0, entries, entries * R16Layout.rowBlocks(rows: rows)].contains(codebooks.count) else {
            throw fail("\(codebooks.count) codebook entries; a codebook has \(entries)")
        }
        if !codebooks.isEmpty, offsets != .constant(0) { throw fail("a matrix with codebooks has no offsets") }
        guard case .grid(let grid) = format else { return }
        guard format.isLegal(rows: rows, columns: columns),
            R16Layout(self) == R16Layout(grid, rows: rows, columns: columns)
        else { throw fail("its grid is not that of the format") }
    }
}

extension QuantizedMatrix.Scales {
    /// How many there are.
    var count: Int {
        switch self {
        case .float16(let values): values.count
        case .float32(let values): values.count
        }
    }
}

extension QuantizedMatrix.Offsets {
    /// How many there are; nil for a constant.
    var count: Int? {
        switch self {
        case .constant: nil
        case .zeroPoints(let values): values.count
        case .minimums(let values): values.count
        }
    }
}
