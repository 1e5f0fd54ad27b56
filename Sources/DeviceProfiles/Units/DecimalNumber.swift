/// A decimal number as written: its digits and a power of ten, so that units scale it without rounding twice.
struct DecimalNumber {
    /// All digits, before and after the point.
    private let digits: String
    /// The value is `digits * 10^exponent`.
    private let exponent: Int

    /// `12`, `0.5`, `1e3`, `2.5E-3`: digits, at most one point with digits around it, an exponent; no sign.
    init?(_ text: String) {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
            .flatMap { $0.split(separator: "E", maxSplits: 1, omittingEmptySubsequences: false) }
        guard let mantissa = parts.first, parts.count <= 2, text.utf8.count <= 40 else { return nil }
        let halves = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        var power = 0
        if parts.count == 2 {
            guard let written = Int(parts[1]), abs(written) <= 30 else { return nil }
            power = written
        }
        digits = halves.joined()
        exponent = power - (halves.count == 2 ? halves[1].utf8.count : 0)
    }

    /// The number times `multiplier * 10^exponent`; nil where it is infinite.
    func scaled(by multiplier: Int, exponent unit: Int) -> Double? {
        guard let value = Double("\(digits)e\(exponent + unit)") else { return nil }
        let scaled = value * Double(multiplier)
        return scaled.isFinite ? scaled : nil
    }

    /// The same rounded down to a whole number, exactly; nil where it does not fit.
    func floor(timesMultiplier multiplier: Int, exponent unit: Int) -> Int? {
        var power = exponent + unit
        guard var value = Int(digits) else { return nil }
        let product = value.multipliedReportingOverflow(by: multiplier)
        guard !product.overflow else { return nil }
        value = product.partialValue
        while power > 0 {
            if value == 0 { return 0 }
            let next = value.multipliedReportingOverflow(by: 10)
            guard !next.overflow else { return nil }
            value = next.partialValue
            power -= 1
        }
        while power < 0, value > 0 {
            value /= 10
            power += 1
        }
        return value
    }
}
