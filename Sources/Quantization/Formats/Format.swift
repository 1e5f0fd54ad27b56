package import ModelFiles

/// How a weight matrix is stored: the first part of a SPEC, such as `u4g32`, `k4c`, `q4_0` or `f16`.
package enum Format: Hashable, Sendable {
    /// Unquantized half precision.
    case float16
    /// A format of Fettle's own, packed in layout R16.
    case grid(GridFormat)
    /// One of GGUF's block types, as llama.cpp reads it.
    case block(BlockFormat)
}

/// GGUF block types that Fettle writes.
package enum BlockFormat: String, Hashable, Sendable, CaseIterable {
    case q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, q4_k, q5_k, q6_k, q3_k, q2_k

    /// The type of the tensor that it makes.
    package var tensorType: TensorType {
        switch self {
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        case .q4_1: .q4_1
        case .q5_0: .q5_0
        case .q5_1: .q5_1
        case .iq4_nl: .iq4_nl
        case .q4_k: .q4_k
        case .q5_k: .q5_k
        case .q6_k: .q6_k
        case .q3_k: .q3_k
        case .q2_k: .q2_k
        }
    }
}

/// Grid x bits x granularity.
package struct GridFormat: Hashable, Sendable {
    /// Where the grid's points lie.
    package enum Grid: String, Hashable, Sendable, CaseIterable {
        /// scale * (code - 2^(bits-1)); the scale may be negative, which moves the longer side to the other sign.
        case uniform = "u"
        /// scale * (code - zero point), one 8-bit zero point for each scale.
        case affine = "a"
        /// scale * table[code], an int8 table fitted to the tensor.
        case codebook = "k"
        /// scale * table[code], the table holding 0 and signed powers of two.
        case log2 = "l"
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

    package init(_ grid: Grid, bits: Int, _ granularity: Granularity, rowBlockCodebooks: Bool = false) {
        self.grid = grid
        self.bits = bits
        self.granularity = granularity
        self.rowBlockCodebooks = rowBlockCodebooks
    }
}
