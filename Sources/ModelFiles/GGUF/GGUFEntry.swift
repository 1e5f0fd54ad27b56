/// One key of a GGUF file's metadata with its value.
package struct GGUFEntry: Sendable, Equatable {
    package var key: String
    package var value: GGUFValue

    package init(key: String, value: GGUFValue) {
        self.key = key
        self.value = value
    }
}

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
