extension Double {
    /// The logarithm to base 2 of a positive normal number, to about 1e-14: sums and products in a fixed order, so that it is the same
    /// bits everywhere, which a C library's is not.
    var binaryLogarithm: Double {
        let isLarge = significand > 2.0.squareRoot()
        let mantissa = isLarge ? significand / 2 : significand
        // log m = 2 atanh((m - 1) / (m + 1)), |m - 1| / (m + 1) being at most 0.172.
        let z = (mantissa - 1) / (mantissa + 1)
        let square = z * z
        var sum = 1 / 17.0
        sum = sum * square + 1 / 15.0
        sum = sum * square + 1 / 13.0
        sum = sum * square + 1 / 11.0
        sum = sum * square + 1 / 9.0
        sum = sum * square + 1 / 7.0
        sum = sum * square + 1 / 5.0
        sum = sum * square + 1 / 3.0
        sum = sum * square + 1
        return Double(Int(exponent) + (isLarge ? 1 : 0)) + 2 * z * sum / 0.693_147_180_559_945_3
    }
}
