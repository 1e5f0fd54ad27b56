internal import ModelFiles

extension BlockFormat {
    /// Weights of one block: 32, or 256 of the K types.
    package var blockLength: Int { tensorType.blockLength }

    /// Bytes of one block.
    package var blockBytes: Int { tensorType.blockBytes }

    /// Bits that a weight takes, scales included: 4.5 for q4_0.
    package var bitsPerWeight: Double { Double(8 * blockBytes) / Double(blockLength) }

    /// Whether rows of `columns` weights are whole blocks.
    package func isLegal(columns: Int) -> Bool { columns > 0 && columns.isMultiple(of: blockLength) }

    /// Weights that share a scale: a block, or a sub-block of a K type.
    package var group: Int {
        switch self {
        case .q6_k, .q3_k, .q2_k: 16
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl, .q4_k, .q5_k: 32
        }
    }

    /// Whether a weight is scale x code + minimum rather than scale x (code - offset).
    package var hasMinimums: Bool {
        switch self {
        case .q4_1, .q5_1, .q4_k, .q5_k, .q2_k: true
        case .q8_0, .q4_0, .q5_0, .iq4_nl, .q6_k, .q3_k: false
        }
    }

    /// The code of 0 in types without minimums; 0 for iq4_nl, whose codes index a table.
    package var offset: Int {
        switch self {
        case .q8_0: 128
        case .q6_k: 32
        case .q5_0: 16
        case .q4_0: 8
        case .q3_k: 4
        case .q4_1, .q5_1, .iq4_nl, .q4_k, .q5_k, .q2_k: 0
        }
    }
}
