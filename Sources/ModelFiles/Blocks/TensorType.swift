/// How a tensor's numbers are stored; raw values are GGUF's type numbers (ggml.h, `enum ggml_type`).
package enum TensorType: UInt32, Sendable, CaseIterable {
    case f32 = 0
    case f16 = 1
    case q4_0 = 2
    case q4_1 = 3
    case q5_0 = 6
    case q5_1 = 7
    case q8_0 = 8
    case q2_k = 10
    case q3_k = 11
    case q4_k = 12
    case q5_k = 13
    case q6_k = 14
    case iq2_xxs = 16
    case iq2_xs = 17
    case iq3_xxs = 18
    case iq1_s = 19
    case iq4_nl = 20
    case iq3_s = 21
    case iq2_s = 22
    case iq4_xs = 23
    case iq1_m = 29
    case bf16 = 30
    case tq1_0 = 34
    case tq2_0 = 35
    case mxfp4 = 39
    case nvfp4 = 40

    /// The name in lower case, for instance `q4_1`.
    package var name: String { "\(self)" }

    /// Whether it is anything but a float.
    package var isQuantized: Bool { self != .f32 && self != .f16 && self != .bf16 }
}
