/// What a pre-tokenizer's regular expression asks of a character.
package enum CharacterClass: Equatable {
    /// `\p{L}`
    case letter
    /// `\p{N}`
    case number
    /// Carriage return or line feed; `\s` too.
    case lineBreak
    /// `\s` but for line breaks
    case space
    /// Everything else: marks, punctuation, symbols, controls, unassigned code points.
    case other

    /// Whether `\s` matches.
    var isSpace: Bool { self == .space || self == .lineBreak }

    /// The class of the character at `position` of `text`, which is valid UTF-8, and the position behind it.
    @inline(__always)
    package static func read(_ text: [UInt8], at position: Int) -> (class: CharacterClass, end: Int) {
        let byte = text[position]
        if byte < 0x80 { return (CharacterClass(ascii: byte), position + 1) }
        return readBeyondASCII(text, at: position)
    }

    @inline(__always)
    private init(ascii byte: UInt8) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): self = .letter
        case UInt8(ascii: " "), 0x09, 0x0B, 0x0C: self = .space
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self = .number
        case 0x0A, 0x0D: self = .lineBreak
        default: self = .other
        }
    }

    private static func readBeyondASCII(_ text: [UInt8], at position: Int) -> (class: CharacterClass, end: Int) {
        let lead = text[position]
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        var value = UInt32(lead) & (0xFF >> (UInt32(length) + 1))
        for offset in 1..<length { value = value << 6 | UInt32(text[position + offset] & 0x3F) }
        return (Unicode.Scalar(value).map(CharacterClass.init(beyondASCII:)) ?? .other, position + length)
    }

    /// Tables stop at Unicode 16, as Oniguruma's in `tokenizers` 0.23 do: a later Swift must not change a model's tokens.
    private init(beyondASCII scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            self = .space
            return
        default: break
        }
        let properties = scalar.properties
        guard let age = properties.age, age.major <= 16 else {
            self = .other
            return
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
        case .decimalNumber, .letterNumber, .otherNumber: self = .number
        default: self = .other
        }
    }
}
