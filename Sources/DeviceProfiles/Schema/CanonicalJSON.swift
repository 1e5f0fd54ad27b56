/// JSON with one way to write each value: keys sorted by code point, no spaces, shortest numbers. Its bytes can be hashed.
package enum CanonicalJSON: Sendable, Equatable {
    case text(String)
    case flag(Bool)
    case integer(Int)
    case real(Double)
    case list([CanonicalJSON])
    case map([String: CanonicalJSON])

    /// The value as text.
    package var encoded: String {
        switch self {
        case .text(let text): Self.escaped(text)
        case .flag(let flag): flag ? "true" : "false"
        case .integer(let integer): String(integer)
        case .real(let real): Self.text(real)
        case .list(let items): "[\(items.map(\.encoded).joined(separator: ","))]"
        case .map(let entries):
            "{\(Self.sorted(entries).map { "\(Self.escaped($0)):\($1.encoded)" }.joined(separator: ","))}"
        }
    }

    /// The value on several lines, two spaces for each level.
    package var pretty: String { pretty(indent: "") }

    /// Every value that is not a map, with its key path, sorted: one line each for people.
    package var leaves: [(keyPath: String, value: String)] {
        guard case .map(let entries) = self else { return [] }
        return Self.sorted(entries).flatMap { key, value -> [(keyPath: String, value: String)] in
            guard case .map = value else { return [(key, value.encoded)] }
            return value.leaves.map { ("\(key).\($0.keyPath)", $0.value) }
        }
    }

    private func pretty(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .map(let entries) where !entries.isEmpty:
            let lines = Self.sorted(entries).map { "\(inner)\(Self.escaped($0)): \($1.pretty(indent: inner))" }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
        case .list(let items) where items.contains { $0.isMap }:
            return "[\n\(items.map { inner + $0.pretty(indent: inner) }.joined(separator: ",\n"))\n\(indent)]"
        case .list(let items): return "[\(items.map(\.encoded).joined(separator: ", "))]"
        default: return encoded
        }
    }

    private var isMap: Bool { if case .map = self { true } else { false } }

    /// The shortest text that reads back as the same number; whole numbers have no point.
    static func text(_ real: Double) -> String {
        let text = real.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func sorted(_ entries: [String: CanonicalJSON]) -> [(key: String, value: CanonicalJSON)] {
        entries.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
    }

    private static func escaped(_ text: String) -> String {
        var escaped = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    escaped.unicodeScalars.append(scalar)
                }
            }
        }
        return escaped + "\""
    }
}
