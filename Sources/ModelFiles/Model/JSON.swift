/// A JSON value (RFC 8259), read strictly: no duplicate keys, no invalid UTF-8, no lone surrogates, bounded nesting.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits.
    case integer(Int)
    /// Any other number.
    case number(Double)
    case string(String)
    case array([JSON])
    /// Members in the order of the file.
    case object([Member])

    /// A key of an object with its value.
    package struct Member: Sendable, Equatable {
        package let key: String
        package let value: JSON

        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// Parses `bytes`, the content of `file` from its byte `offset` on (for messages).
    ///
    /// - Throws: `malformed` with the byte offset of the fault.
    package init(
        parsing bytes: UnsafeRawBufferPointer, file: String, offset: Int = 0
    ) throws(ModelError) {
        var parser = JSONParser(bytes: bytes, file: file, offset: offset)
        self = try parser.document()
    }

    /// Parses the JSON file at `path`.
    package init(path: String) throws(ModelError) {
        let bytes = try MappedFile(path: path).bytes
        self = try bytes.withUnsafeBytes { raw throws(ModelError) in try JSON(parsing: raw, file: path) }
    }

    /// The value of `key` in an object; nil where it is absent, or this is not an object.
    package subscript(key: String) -> JSON? {
        members?.first { $0.key == key }?.value
    }

    /// The members of an object.
    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The elements of an array.
    package var elements: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The text of a string.
    package var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    /// The value of an integer.
    package var integer: Int? {
        if case .integer(let integer) = self { integer } else { nil }
    }

    /// The value of any number.
    package var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    /// The value of true or false.
    package var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// `text` as a JSON string, in quotes.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
