/// Reads the little-endian primitives of a GGUF header one after another; every read is checked against the file's end.
struct GGUFCursor {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    /// Byte offset of the next read.
    private(set) var offset = 0
    /// Array elements read so far; a value in memory is larger than in the file, so their number is bounded.
    private var elements = 0

    private static let mostElements = 1 << 23
    private static let deepestArray = 4

    /// A cursor at the beginning of `bytes`, which are all of `file`.
    init(bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// Bytes left.
    var remaining: Int { bytes.count - offset }

    /// The next number, of which `what` says the meaning in messages.
    mutating func number<Number: FixedWidthInteger>(
        _ what: String, as type: Number.Type = Number.self
    ) throws(ModelError) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw truncated(what, needs: size) }
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
        offset += size
        return Number(littleEndian: value)
    }

    /// The next 64-bit number, which counts things of at least `unit` bytes each that must still follow.
    mutating func count(of what: String, unit: Int) throws(ModelError) -> Int {
        let start = offset
        let value = try number(what, as: UInt64.self)
        guard let count = Int(exactly: value), count <= remaining / unit else {
            throw ModelError(
                .malformed, file: file, place: "byte \(start)",
                "\(what) is \(value), more than the rest of the file can hold; the file is truncated or damaged, "
                    + "fetch it again")
        }
        return count
    }

    /// The next string.
    mutating func string(_ what: String) throws(ModelError) -> String {
        let count = try count(of: "the length of \(what)", unit: 1)
        let raw = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
        guard let string = String(validating: raw.bindMemory(to: UInt8.self), as: UTF8.self) else {
            throw ModelError(.malformed, file: file, place: "byte \(offset)", "\(what) is not valid UTF-8")
        }
        offset += count
        return string
    }

    /// The next metadata value, of type `number`.
    mutating func value(type number: UInt32, key: String, depth: Int = 0) throws(ModelError) -> GGUFValue {
        switch number {
        case 0: return .uint8(try self.number(key))
        case 1: return .int8(try self.number(key))
        case 2: return .uint16(try self.number(key))
        case 3: return .int16(try self.number(key))
        case 4: return .uint32(try self.number(key))
        case 5: return .int32(try self.number(key))
        case 6: return .float32(Float(bitPattern: try self.number(key)))
        case 7:
            let byte = try self.number(key, as: UInt8.self)
            guard byte <= 1 else {
                throw ModelError(.malformed, file: file, place: key, "a bool is \(byte), which is neither 0 nor 1")
            }
            return .bool(byte == 1)
        case 8: return .string(try string(key))
        case 9: return try array(key: key, depth: depth)
        case 10: return .uint64(try self.number(key))
        case 11: return .int64(try self.number(key))
        case 12: return .float64(Double(bitPattern: try self.number(key)))
        default:
            throw ModelError(.malformed, file: file, place: key, "type \(number) is not a type of GGUF metadata")
        }
    }

    private mutating func array(key: String, depth: Int) throws(ModelError) -> GGUFValue {
        guard depth < Self.deepestArray else {
            throw ModelError(
                .unsupported, file: file, place: key, "arrays nest deeper than \(Self.deepestArray) levels")
        }
        let elementType = try number(key, as: UInt32.self)
        guard let unit = GGUFValue.leastBytes(ofType: elementType) else {
            throw ModelError(.malformed, file: file, place: key, "type \(elementType) is not a type of GGUF metadata")
        }
        let count = try count(of: "the length of \(key)", unit: unit)
        guard count <= Self.mostElements - elements else {
            throw ModelError(
                .unsupported, file: file, place: key,
                "the metadata's arrays hold more than \(Self.mostElements) elements")
        }
        elements += count
        var values: [GGUFValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try value(type: elementType, key: key, depth: depth + 1)) }
        return .array(elementType: elementType, values)
    }

    private func truncated(_ what: String, needs size: Int) -> ModelError {
        ModelError(
            .malformed, file: file, place: "byte \(offset)",
            "\(what) needs bytes \(offset)..<\(offset + size) but the file ends at \(bytes.count); the file is truncated, "
                + "fetch it again")
    }
}
