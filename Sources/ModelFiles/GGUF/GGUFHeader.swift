/// The bytes of a GGUF file before its first tensor.
struct GGUFHeader {
    private(set) var bytes: [UInt8] = []
    private let alignment: Int

    /// An empty header for tensors aligned to `alignment` bytes.
    init(alignment: Int) {
        self.alignment = alignment
    }

    /// Zero bytes that follow `count` bytes up to a multiple of `alignment`.
    static func padding(after count: Int, to alignment: Int) -> Int {
        let rest = count % alignment
        return rest == 0 ? 0 : alignment - rest
    }

    /// Appends the whole header; `counts` are the tensors' sizes in bytes.
    mutating func append(entries: [GGUFEntry], tensors: [GGUFWriter.Description], counts: [Int]) {
        append(Array("GGUF".utf8))
        append(UInt32(3))
        append(UInt64(tensors.count))
        append(UInt64(entries.count))
        for entry in entries {
            append(entry.key)
            append(entry.value.typeNumber)
            append(entry.value)
        }
        var offset = 0
        for (tensor, count) in zip(tensors, counts) {
            append(tensor.name)
            append(UInt32(tensor.dimensions.count))
            for length in tensor.dimensions { append(UInt64(length)) }
            append(tensor.type.rawValue)
            append(UInt64(offset))
            offset += count + Self.padding(after: count, to: alignment)
        }
        append([UInt8](repeating: 0, count: Self.padding(after: bytes.count, to: alignment)))
    }

    private mutating func append(_ value: GGUFValue) {
        switch value {
        case .uint8(let value): append(value)
        case .int8(let value): append(value)
        case .uint16(let value): append(value)
        case .int16(let value): append(value)
        case .uint32(let value): append(value)
        case .int32(let value): append(value)
        case .float32(let value): append(value.bitPattern)
        case .bool(let value): append(UInt8(value ? 1 : 0))
        case .string(let value): append(value)
        case .array(let elementType, let elements):
            append(elementType)
            append(UInt64(elements.count))
            for element in elements { append(element) }
        case .uint64(let value): append(value)
        case .int64(let value): append(value)
        case .float64(let value): append(value.bitPattern)
        }
    }

    private mutating func append(_ text: String) {
        append(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
    }
}
