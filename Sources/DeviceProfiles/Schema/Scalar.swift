/// A scalar of the document on its way to a typed value.
struct Scalar {
    typealias Failure = Quantity.Failure

    var text: String
    /// False for quoted text, which is never a number or a flag.
    var isPlain: Bool

    /// The value in base units, for every kind but lists and maps.
    func content(_ kind: Field.Kind) throws(Failure) -> Setting.Content {
        switch kind {
        case .text(let rule):
            guard rule.isValid(text) else {
                throw Failure(code: .wrongType, message: "\(quoted(text)) is not \(rule.described)")
            }
            return .text(text)
        case .word(let allowed, let reserved): return .text(try word(allowed, reserved))
        case .flag: return .flag(try flag())
        case .integer(let range): return .integer(try integer(range))
        case .oneOf(let values):
            guard isPlain, let value = Int(text), values.contains(value) else {
                let allowed = values.map(String.init).joined(separator: " or ")
                throw Failure(code: .outOfRange, message: "\(quoted(text)) is not allowed here; write \(allowed)")
            }
            return .integer(value)
        case .number(let bound): return .real(try number(bound))
        case .quantity(let dimension, let orZero): return try quantity(dimension, orZero: orZero)
        case .list, .oneOrMore, .map:
            throw Failure(code: .wrongType, message: "\(quoted(text)) is not \(SettingReader.example(kind))")
        }
    }

    private func word(_ allowed: [String], _ reserved: [String]) throws(Failure) -> String {
        if allowed.contains(text) { return text }
        let list = allowed.joined(separator: ", ")
        if reserved.contains(text) {
            throw Failure(code: .notAvailable, message: "\(quoted(text)) is not available yet; write one of \(list)")
        }
        let nearest = NearestWord.find(text, among: allowed).map { "; the nearest is \($0)" } ?? ""
        throw Failure(code: .unknownWord, message: "\(quoted(text)) is not one of \(list)\(nearest)")
    }

    private func flag() throws(Failure) -> Bool {
        if isPlain, text == "true" { return true }
        if isPlain, text == "false" { return false }
        throw Failure(code: .wrongType, message: "\(quoted(text)) is not a flag; write true or false")
    }

    private func integer(_ range: ClosedRange<Int>) throws(Failure) -> Int {
        let digits = text.utf8.dropFirst(text.hasPrefix("-") ? 1 : 0)
        guard isPlain, !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Failure(
                code: .wrongType,
                message: "\(quoted(text)) is not a whole number; write one such as \(range.lowerBound)")
        }
        guard let value = Int(text), range.contains(value) else {
            let remedy =
                range.lowerBound == range.upperBound
                ? "\(range.lowerBound)" : "a number from \(range.lowerBound) to \(range.upperBound)"
            throw Failure(code: .outOfRange, message: "\(text.prefix(40)) is not allowed here; write \(remedy)")
        }
        return value
    }

    private func number(_ bound: Double) throws(Failure) -> Double {
        guard isPlain, let value = DecimalNumber(text)?.scaled(by: 1, exponent: 0) else {
            throw Failure(
                code: .wrongType,
                message: "\(quoted(text)) is not a number; write one without sign or unit, such as 0.05")
        }
        guard value > 0, value <= bound else {
            throw Failure(
                code: .outOfRange,
                message:
                    "\(text.prefix(40)) is not allowed here; write a number above 0, at most \(CanonicalJSON.text(bound))"
            )
        }
        return value
    }

    private func quantity(_ dimension: Dimension, orZero: Bool) throws(Failure) -> Setting.Content {
        let quantity = try Quantity(text, as: dimension)
        let isPositive = dimension == .size ? (quantity.whole ?? 0) > 0 : quantity.value > 0
        guard isPositive || orZero && quantity.value == 0 else {
            throw Failure(
                code: .outOfRange,
                message: "\(quoted(text)) must be more than 0; write it, or leave the key out for no constraint")
        }
        guard dimension == .size else { return .real(quantity.value) }
        guard let bytes = quantity.whole else {
            throw Failure(code: .outOfRange, message: "\(quoted(text)) is too large; no device has so much")
        }
        return .integer(bytes)
    }
}
