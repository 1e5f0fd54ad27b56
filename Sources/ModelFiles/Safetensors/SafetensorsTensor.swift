/// Number types of a safetensors file; raw values are its `dtype`.
package enum SafetensorsType: String, Sendable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case u8 = "U8"
    case i8 = "I8"

    /// Bytes of one number.
    package var width: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .u8, .i8: 1
        }
    }
}

/// One tensor of a safetensors file.
package struct SafetensorsTensor: Sendable {
    package let name: String
    package let type: SafetensorsType
    /// Lengths of the axes, the contiguous one last; empty for a single number.
    package let shape: [Int]
    /// Byte offset in the file.
    package let offset: Int
    /// The tensor's bytes, exactly.
    package let bytes: MappedBytes

    /// Bytes of a tensor of `type` and `shape`; nil where an axis is negative or the product does not fit.
    static func byteCount(_ type: SafetensorsType, _ shape: [Int]) -> Int? {
        guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
        var count = type.width
        for factor in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }
}
