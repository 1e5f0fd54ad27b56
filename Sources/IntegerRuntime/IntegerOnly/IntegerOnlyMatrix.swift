internal import CKernels
internal import Quantization

/// A matrix as integer-only execution reads it: its half-precision scales are taken apart into mantissas and exponents.
struct IntegerOnlyMatrix {
    private(set) var kernel: fettle_integer_matrix

    /// Whether integer-only execution has kernels for `matrix`: int8 inputs with one scale for each token or for 32 columns,
    /// weights that are a half-precision scale times an integer.
    static func supports(_ matrix: RuntimeMatrix) -> Bool {
        guard matrix.activation == .int8 || matrix.activation == .int8g32 else { return false }
        let kernel = matrix.kernel
        return kernel.bits <= 8 && kernel.offsets != FETTLE_OFFSET_MINIMUMS && kernel.scales != FETTLE_SCALE_FLOAT32
            && min(kernel.group, Int32(matrix.inputLayout.scaleColumns)).isMultiple(of: 32)
    }

    /// `matrix`, with the exponents of its rows kept at `exponents`. Throws where it has no integer-only kernel.
    init(
        _ matrix: RuntimeMatrix, name: String, exponents: UnsafeMutablePointer<Int8>
    ) throws(RuntimeError) {
        guard Self.supports(matrix) else {
            throw RuntimeError(
                .unsupported, place: name,
                "integer-only execution has no kernel for \(matrix.format)/\(matrix.activation.rawValue); choose a "
                    + "grid format with int8 or int8g32 inputs")
        }
        kernel = fettle_integer_matrix()
        kernel.matrix = matrix.kernel
        kernel.tensor_scale = Int32(Float16(matrix.kernel.tensor_scale).bitPattern)
        kernel.input_group = Int32(matrix.inputLayout.scaleColumns)
        fettle_integer_prepare(&kernel, exponents)
    }

    /// Bytes of the exponents of a matrix of `rows` rows.
    static func exponentBytes(rows: Int) -> Int { (rows + 15) / 16 * 16 }
}
