internal import HTTPTypes

/// The path and query of a request, taken apart before anything is decoded: an encoded slash never divides a path.
struct RequestTarget: Sendable, Equatable {
    /// Decoded segments; `/` has none.
    let segments: [String]
    /// Decoded values by key; the first of a key counts.
    let query: [String: String]

    /// Reads an origin-form target such as `/v1/jobs?limit=5`.
    ///
    /// - Throws: 400 for any other form, a broken percent code, bytes that are not UTF-8, or a control character.
    init(_ target: String) throws(Problem) {
        guard target.hasPrefix("/") else { throw Self.malformed }
        let path = target.prefix { $0 != "?" }
        let rest = target.dropFirst(path.count + 1)
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            segments.append(try Self.decoded(segment, plusIsSpace: false))
        }
        self.segments = segments == [""] ? [] : segments
        var query: [String: String] = [:]
        for pair in rest.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = try Self.decoded(parts[0], plusIsSpace: true)
            let value = parts.count == 2 ? try Self.decoded(parts[1], plusIsSpace: true) : ""
            if query[key] == nil { query[key] = value }
        }
        self.query = query
    }

    /// `segment` with everything but unreserved characters percent-encoded, fit for one segment of a path.
    static func encoded(_ segment: String) -> String {
        var result = ""
        for byte in segment.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    private static let malformed = Problem(
        .badRequest, "The request target is malformed; write an encoded path such as /v1/jobs.")

    private static func decoded(_ text: Substring, plusIsSpace: Bool) throws(Problem) -> String {
        var bytes: [UInt8] = []
        var codes = text.utf8.makeIterator()
        while let byte = codes.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = codes.next().flatMap(digit), let low = codes.next().flatMap(digit) else {
                    throw malformed
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }), let result = String(validating: bytes, as: UTF8.self)
        else { throw malformed }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
