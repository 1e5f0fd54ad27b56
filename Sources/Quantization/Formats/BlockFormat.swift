package import ModelFiles

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

    /// Bits of a code.
    package var bits: Int {
        switch self {
        case .q2_k: 2
        case .q3_k: 3
        case .q4_0, .q4_1, .iq4_nl, .q4_k: 4
        case .q5_0, .q5_1, .q5_k: 5
        case .q6_k: 6
        case .q8_0: 8
        }
    }

    /// What llama.cpp quantizes the other side of the product to (design.md, section 3; its q8_1 is q8_0 with sums).
    package var activation: Activation {
        switch self {
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl: .q8_0
        case .q4_k, .q5_k, .q6_k, .q3_k, .q2_k: .q8_k
        }
    }
}
