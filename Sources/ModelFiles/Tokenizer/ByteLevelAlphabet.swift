/// How byte-level BPE spells bytes in files: one printable character for each (GPT-2's `bytes_to_unicode`).
///
/// Printable bytes of Latin-1 stand for themselves; the others are, in order, U+0100, U+0101 and so on: a space is `Ġ`.
enum ByteLevelAlphabet {
    /// The character of each byte.
    static let characters: [Unicode.Scalar] = {
        var shifted: UInt32 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            if standsForItself(byte) { return Unicode.Scalar(byte) }
            defer { shifted += 1 }
            return Unicode.Scalar(shifted) ?? Unicode.Scalar(byte)
        }
    }()

    /// The byte of each character, by code point; -1 for a character outside the alphabet.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x200)
        for (byte, character) in characters.enumerated() { bytes[Int(character.value)] = Int16(byte) }
        return bytes
    }()

    /// The bytes that `spelling` stands for; nil where a character is outside the alphabet.
    static func bytes(of spelling: String) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(spelling.utf8.count)
        for scalar in spelling.unicodeScalars {
            guard scalar.value < bytes.count, bytes[Int(scalar.value)] >= 0 else { return nil }
            result.append(UInt8(bytes[Int(scalar.value)]))
        }
        return result
    }

    /// `bytes` in characters of the alphabet.
    static func spelling(of bytes: some Sequence<UInt8>) -> String {
        var result = String.UnicodeScalarView()
        for byte in bytes { result.append(characters[Int(byte)]) }
        return String(result)
    }

    private static func standsForItself(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: true
        default: false
        }
    }
}
