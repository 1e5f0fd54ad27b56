/// A value of GGUF metadata, in the type that the file has.
package enum GGUFValue: Sendable, Equatable {
    case uint8(UInt8)
    case int8(Int8)
    case uint16(UInt16)
    case int16(Int16)
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    case string(String)
    /// All elements have the type of number `elementType` in GGUF's `enum gguf_metadata_value_type`.
    case array(elementType: UInt32, [GGUFValue])
    case uint64(UInt64)
    case int64(Int64)
    case float64(Double)
}

extension GGUFValue {
    /// Numbers of the types in `enum gguf_metadata_value_type`.
    package enum TypeNumber {
        package static let int32: UInt32 = 5
        package static let string: UInt32 = 8
        package static let array: UInt32 = 9
    }

    /// The value's own type number.
    package var typeNumber: UInt32 {
        switch self {
        case .uint8: 0
        case .int8: 1
        case .uint16: 2
        case .int16: 3
        case .uint32: 4
        case .int32: 5
        case .float32: 6
        case .bool: 7
        case .string: 8
        case .array: 9
        case .uint64: 10
        case .int64: 11
        case .float64: 12
        }
    }

    /// The fewest bytes that a value of type `number` takes in a file; nil where there is no such type.
    static func leastBytes(ofType number: UInt32) -> Int? {
        switch number {
        case 0, 1, 7: 1
        case 2, 3: 2
        case 4, 5, 6: 4
        case 8, 10, 11, 12: 8
        case 9: 12
        default: nil
        }
    }

    /// The value of any integer type that fits.
    package var integer: Int? {
        switch self {
        case .uint8(let value): Int(value)
        case .int8(let value): Int(value)
        case .uint16(let value): Int(value)
        case .int16(let value): Int(value)
        case .uint32(let value): Int(value)
        case .int32(let value): Int(value)
        case .uint64(let value): Int(exactly: value)
        case .int64(let value): Int(value)
        default: nil
        }
    }

    /// The value of a float type.
    package var float: Float? {
        switch self {
        case .float32(let value): value
        case .float64(let value): Float(value)
        default: nil
        }
    }

    /// The value of a bool.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The text of a string.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements of an array.
    package var elements: [GGUFValue]? {
        if case .array(_, let elements) = self { elements } else { nil }
    }

    /// An array of strings.
    package static func strings(_ values: [String]) -> GGUFValue {
        .array(elementType: TypeNumber.string, values.map(GGUFValue.string))
    }
}
