extension TensorType {
    /// Numbers in one block; 1 for floats.
    package var blockLength: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl, .mxfp4: 32
        case .nvfp4: 64
        case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .iq1_s, .iq1_m, .iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s, .iq4_xs,
            .tq1_0, .tq2_0:
            256
        }
    }

    /// Bytes of one block (ggml-common.h; gguf-py's GGML_QUANT_SIZES).
    package var blockBytes: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q4_0, .iq4_nl: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .mxfp4: 17
        case .nvfp4: 36
        case .q2_k: 84
        case .q3_k: 110
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        case .iq1_s: 50
        case .iq1_m: 56
        case .iq2_xxs: 66
        case .iq2_xs: 74
        case .iq2_s: 82
        case .iq3_xxs: 98
        case .iq3_s: 110
        case .iq4_xs: 136
        case .tq1_0: 54
        case .tq2_0: 66
        }
    }

    /// Bytes of a row of `columns` numbers, which must be a whole number of blocks.
    package func bytes(columns: Int) -> Int { columns / blockLength * blockBytes }
}
