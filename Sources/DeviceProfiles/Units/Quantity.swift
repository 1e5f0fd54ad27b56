/// A number with a unit, in base units.
package struct Quantity: Equatable, Sendable {
    /// Base units: bytes, seconds, joules, watts, operations or bytes per second.
    package var value: Double
    /// The same rounded down, exact beyond a double's 53 bits; nil where it does not fit an `Int`.
    package var whole: Int?

    /// Why a text is not a quantity: the code and the words for the message.
    package struct Failure: Error, Equatable, Sendable {
        package var code: ProfileError.Code
        package var message: String
    }

    /// Reads `900 MB`, `1.5 GiB/s`, `60 pJ/bit`, `30m`; one space before the unit or none.
    ///
    /// - Throws: `badUnit` for a missing, unknown or foreign unit, `wrongType` for what is no number, `outOfRange` for what
    ///   is too large.
    package init(_ text: String, as dimension: Dimension) throws(Failure) {
        let split = Self.split(text)
        let usual = dimension.usualUnits
        guard let number = DecimalNumber(split.number) else {
            let examples = "write a number and a unit, such as 1 \(usual.0)"
            let negative = text.hasPrefix("-")
            throw Failure(
                code: negative ? .outOfRange : .wrongType,
                message: "\(quoted(text)) is \(negative ? "negative" : "not \(dimension.described)"); \(examples)")
        }
        guard !split.unit.isEmpty else {
            throw Failure(
                code: .badUnit,
                message: "\(quoted(text)) has no unit; write \(split.number) \(usual.0) or \(split.number) \(usual.1)")
        }
        guard let unit = dimension.units.first(where: { $0.name == split.unit }) else {
            throw Self.unknownUnit(split.unit, number: split.number, text: text, dimension: dimension)
        }
        guard let value = number.scaled(by: unit.multiplier, exponent: unit.exponent), value <= 1e18 else {
            throw Failure(code: .outOfRange, message: "\(quoted(text)) is too large; no device has so much")
        }
        self.value = value
        whole = number.floor(timesMultiplier: unit.multiplier, exponent: unit.exponent)
    }

    /// The number and the unit of a text; the unit is what follows the last digit, sign or point of the number.
    private static func split(_ text: String) -> (number: String, unit: String) {
        let number = text.prefix(while: { $0.isASCII && ($0.isNumber || $0 == ".") })
        var rest = text[number.endIndex...]
        if let mark = rest.first, mark == "e" || mark == "E" {
            let exponent = rest.dropFirst().prefix(while: { $0.isASCII && ($0.isNumber || $0 == "-" || $0 == "+") })
            if exponent.contains(where: \.isNumber) {
                rest = text[exponent.endIndex...]
                return (String(text[..<exponent.endIndex]), unit(rest))
            }
        }
        return (String(number), unit(rest))
    }

    private static func unit(_ rest: Substring) -> String { String(rest.first == " " ? rest.dropFirst() : rest) }

    private static func unknownUnit(
        _ unit: String, number: String, text: String, dimension: Dimension
    ) -> Failure {
        if let other = Dimension.allCases.first(where: { $0.units.contains { $0.name == unit } }) {
            let usual = dimension.usualUnits
            return Failure(
                code: .badUnit,
                message: "\(quoted(text)) is \(other.described), not \(dimension.described); "
                    + "write \(number) \(usual.0) or \(number) \(usual.1)")
        }
        let near = NearestWord.ranked(unit, among: dimension.units.map(\.name)).prefix(2)
        let remedy = near.map { "\(number) \($0)" }.joined(separator: " or ")
        return Failure(code: .badUnit, message: "\(quoted(text)) has no known unit; write \(remedy)")
    }
}
