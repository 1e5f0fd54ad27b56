/// Grid x bits x granularity: a format of Fettle's own.
package struct GridFormat: Hashable, Sendable {
    /// Where the grid's points lie.
    package enum Grid: String, Hashable, Sendable, CaseIterable {
        /// scale * (code - 2^(bits-1)); the scale may be negative, which moves the longer side to the other sign.
        /// At 8 bits code 0 stays unused, so that -127 is the least point.
        case uniform = "u"
        /// scale * (code - zero point), one 8-bit zero point for each scale: in sixteenths of a step up to 4 bits, with as many
        /// bits of fraction as a byte has left above.
        case affine = "a"
        /// scale * table[code], an int8 table fitted to the tensor.
        case codebook = "k"
        /// scale * table[code], the table holding 0 and signed powers of two.
        case log2 = "l"
        /// scale * table[code], the table holding 0 and sums of two signed powers of two.
        case twoPowers = "p"

        /// Bits of a code. A codebook of eight bits has room for each int8 entry: it is for indices that are entropy-coded, where
        /// few of many entries are used often; packed it is grid `u` again. Five bits of powers of two would hold nothing
        /// between 1 and 1/64 that four do not.
        package var validBits: ClosedRange<Int> {
            switch self {
            case .uniform, .affine, .codebook: 2...8
            case .log2: 2...4
            case .twoPowers: 4...6
            }
        }
    }

    /// What shares one scale.
    package enum Granularity: Hashable, Sendable {
        case tensor
        case channel
        case group(Int)
    }

    package var grid: Grid
    /// Bits of a code, 2...8.
    package var bits: Int
    package var granularity: Granularity
    /// Whether each block of 16 rows has a codebook of its own (suffix `r16`); only with grid `k`.
    package var rowBlockCodebooks: Bool
    /// What an index takes at most in a file, in tenths of a bit (suffix `e36` for 3.6 bits): weight sharing, the codebook fitted
    /// for it and the indices entropy-coded; only with grid `k` and one codebook. Nil where they are stored as they are run.
    package var indexRate: Int?

    package init(
        _ grid: Grid, bits: Int, _ granularity: Granularity, rowBlockCodebooks: Bool = false, indexRate: Int? = nil
    ) {
        self.grid = grid
        self.bits = bits
        self.granularity = granularity
        self.rowBlockCodebooks = rowBlockCodebooks
        self.indexRate = indexRate
    }

    /// The longest group. Longer runs are what granularity channel is for.
    package static let longestGroup = 4096

    /// Whether such a format exists: the bits suit the grid, a group is a multiple of 32 up to `longestGroup`, only grid `k`
    /// has codebooks of row blocks or coded indices, and these take less than the bits of a code.
    package var isValid: Bool {
        guard grid.validBits.contains(bits), grid == .codebook || !rowBlockCodebooks else { return false }
        if let indexRate {
            guard grid == .codebook, !rowBlockCodebooks, (10..<10 * bits).contains(indexRate) else { return false }
        }
        guard case .group(let size) = granularity else { return true }
        return size.isMultiple(of: 32) && (32...Self.longestGroup).contains(size)
    }

    /// Columns that share a scale in a matrix of `columns` columns.
    package func group(columns: Int) -> Int {
        if case .group(let size) = granularity { size } else { columns }
    }

    /// The format in memory, where indices are not coded.
    package var resident: GridFormat {
        var result = self
        result.indexRate = nil
        return result
    }

    /// What a code stands for, less its offset, where that is the same for the whole matrix: 2^(bits-1) for grid `u`.
    package var constantOffset: Int { grid == .uniform ? 1 << (bits - 1) : 0 }
}
