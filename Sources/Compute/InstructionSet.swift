package import CKernels

/// An instruction set that the kernels are compiled for. Results are the same bits on each of them.
package enum InstructionSet: String, CaseIterable, Sendable {
    case scalar
    case avx2
    case avx512
    /// Arm's NEON with dot products of signed bytes.
    case sdot
    /// The same with products of byte matrices.
    case i8mm

    /// The widest set that this processor has.
    package static var best: InstructionSet {
        allCases.last(where: \.isSupported) ?? .scalar
    }

    /// Whether this processor can run it.
    package var isSupported: Bool { fettle_isa_supported(cValue) }

    /// The kernels' own name for it.
    package var cValue: fettle_isa {
        switch self {
        case .scalar: FETTLE_SCALAR
        case .avx2: FETTLE_AVX2
        case .avx512: FETTLE_AVX512
        case .sdot: FETTLE_SDOT
        case .i8mm: FETTLE_I8MM
        }
    }
}
