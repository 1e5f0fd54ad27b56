/// Finds what cannot stand in a YAML file before libyaml sees it: libyaml gives such mistakes no line and column.
enum TextScan {
    /// - Throws: `syntax` at the first byte that is not UTF-8, or the first character that YAML forbids.
    static func check(_ bytes: [UInt8], file: String) throws(ProfileError) {
        var place = Place(file: file, line: 1, column: 1)
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .emptyInput: return
            case .error:
                throw ProfileError(.syntax, at: place, "the file is not UTF-8 text from here on; save it as UTF-8")
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                if isForbidden(scalar) {
                    let code = String(scalar.value, radix: 16, uppercase: true)
                    throw ProfileError(
                        .syntax, at: place, "the control character U+\(padded(code)) cannot stand in YAML; delete it")
                }
                if scalar == "\n" {
                    place.line += 1
                    place.column = 1
                } else {
                    place.column += 1
                }
            }
        }
    }

    /// YAML 1.2, production 1 (c-printable): everything but these.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x85: false
        case 0..<0x20, 0x7F...0x9F, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    private static func padded(_ hexadecimal: String) -> String {
        String(repeating: "0", count: max(0, 4 - hexadecimal.count)) + hexadecimal
    }
}
