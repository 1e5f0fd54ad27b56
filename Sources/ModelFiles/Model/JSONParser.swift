internal import Foundation

/// Recursive descent over the bytes of a JSON text; see `JSON`.
struct JSONParser {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private let offset: Int
    private var position = 0
    private static let deepest = 64

    /// A parser of `bytes`, which begin at byte `offset` of `file`.
    init(bytes: UnsafeRawBufferPointer, file: String, offset: Int) {
        self.bytes = bytes
        self.file = file
        self.offset = offset
    }

    /// The one value that the text holds.
    mutating func document() throws(ModelError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault("more text follows the JSON value") }
        return value
    }

    private mutating func value(depth: Int) throws(ModelError) -> JSON {
        guard depth < Self.deepest else { throw fault("JSON is nested deeper than \(Self.deepest) levels") }
        skipSpace()
        guard let next else { throw fault("the JSON text ends early; the file is truncated, fetch it again") }
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fault("a JSON value is expected")
        }
    }

    private mutating func object(depth: Int) throws(ModelError) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        // Compared as bytes: Swift's strings are equal where Unicode calls them canonically equivalent.
        var keys: Set<[UInt8]> = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes is expected") }
            let key = try string()
            guard keys.insert(Array(key.utf8)).inserted else { throw fault("the key \(JSON.quoted(key)) occurs twice") }
            skipSpace()
            guard take(":") else { throw fault("a colon is expected") }
            members.append(JSON.Member(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw fault("a comma or a closing brace is expected") }
        }
    }

    private mutating func array(depth: Int) throws(ModelError) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw fault("a comma or a closing bracket is expected") }
        }
    }

    private mutating func number() throws(ModelError) -> JSON {
        let start = position
        _ = take("-")
        let first = next
        let digits = skipDigits()
        guard digits > 0, digits == 1 || first != UInt8(ascii: "0") else { throw fault("a number is malformed") }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw fault("a number is malformed") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard skipDigits() > 0 else { throw fault("a number is malformed") }
        }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw fault("a number is out of range") }
        return .number(number)
    }

    private mutating func string() throws(ModelError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault("a string is not valid UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character stands in a string")
            default: text.append(byte)
            }
        }
        throw fault("a string does not end; the file is truncated, fetch it again")
    }

    private mutating func escape(into text: inout [UInt8]) throws(ModelError) {
        guard let byte = next else { throw fault("a string does not end; the file is truncated, fetch it again") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard take("\\"), take("u") else { throw fault("a surrogate stands alone") }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("a surrogate stands alone") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("a surrogate stands alone") }
            text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default: throw fault("an escape is unknown")
        }
    }

    private mutating func hexadecimal() throws(ModelError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("four hexadecimal digits are expected")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    private mutating func word(_ word: String, _ value: JSON) throws(ModelError) -> JSON {
        for character in word.utf8 {
            guard next == character else { throw fault("a JSON value is expected") }
            position += 1
        }
        return value
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func fault(_ message: String) -> ModelError {
        ModelError(.malformed, file: file, place: "byte \(offset + position)", message)
    }
}
