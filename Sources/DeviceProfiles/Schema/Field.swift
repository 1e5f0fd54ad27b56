/// One key of a map: the row of the table from which validation, messages and the JSON Schema are made.
package struct Field: Sendable {
    /// What may stand behind a key.
    package indirect enum Kind: Sendable {
        case text(TextRule)
        /// One of `allowed`; `reserved` words are known, but refused as not available yet.
        case word([String], reserved: [String] = [])
        case flag
        case integer(ClosedRange<Int>)
        /// One of a few whole numbers.
        case oneOf([Int])
        /// More than zero, up to and with the bound.
        case number(upTo: Double)
        /// `orZero` allows the quantity 0.
        case quantity(Dimension, orZero: Bool = false)
        /// At least one item, none twice.
        case list(Kind)
        /// A single item or a list of them.
        case oneOrMore(Kind)
        case map([Field])
    }

    package var name: String
    package var isRequired: Bool
    package var kind: Kind
    /// One sentence for editors.
    package var summary: String

    package init(_ name: String, _ kind: Kind, isRequired: Bool = false, _ summary: String) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.summary = summary
    }
}

/// What a text must look like.
package struct TextRule: Sendable {
    /// A regular expression for editors (ECMA-262, anchored); nil allows any text.
    package var pattern: String?
    /// What the text is, with its article, for messages.
    package var described: String
    /// The same check as `pattern`, in code.
    package var isValid: @Sendable (String) -> Bool

    /// Any text that is not empty.
    package static let any = TextRule(pattern: nil, described: "a text that is not empty", isValid: { !$0.isEmpty })

    /// A name that is safe as part of a file name: letters, digits, `.`, `_` and `-`.
    package static let name = TextRule(
        pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        described: "a name of letters, digits, '.', '_' and '-', at most 64, letter or digit first",
        isValid: { text in
            guard let first = text.utf8.first, (1...64).contains(text.utf8.count) else { return false }
            return isLetterOrDigit(first) && text.utf8.allSatisfy { isLetterOrDigit($0) || ".-_".utf8.contains($0) }
        })

    /// The short name of a weight format, such as `u4g32`, `k4t`, `q4_0` or `f16`.
    package static let format = TextRule(
        pattern: "^[a-z][a-z0-9_]{1,15}$", described: "the short name of a format, such as u4g32 or q4_0",
        isValid: { text in
            guard let first = text.utf8.first, (2...16).contains(text.utf8.count) else { return false }
            return isLower(first) && text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
        })

    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isLower(byte) || isDigit(byte) || (0x41...0x5A).contains(byte)
    }

    /// A rule of another room.
    package init(pattern: String?, described: String, isValid: @escaping @Sendable (String) -> Bool) {
        self.pattern = pattern
        self.described = described
        self.isValid = isValid
    }
}
