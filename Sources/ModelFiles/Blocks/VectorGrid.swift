/// A grid of the vector-quantized types: 256 to 2048 points of 4 or 8 small numbers, chosen by llama.cpp's authors.
///
/// The source keeps each number as an index of 2 or 3 bits into the few values that occur (VectorGrid+Data.swift), as
/// gguf-py does; a grid is unpacked once, when it is first used.
struct VectorGrid {
    /// Numbers of one point.
    let dimension: Int
    /// Point after point.
    let points: [Float]

    static let iq2_xxs = VectorGrid(8, [8, 25, 43], iq2_xxsDigits)
    static let iq2_xs = VectorGrid(8, [8, 25, 43], iq2_xsDigits)
    static let iq2_s = VectorGrid(8, [8, 25, 43], iq2_sDigits)
    static let iq3_xxs = VectorGrid(4, [4, 12, 20, 28, 36, 44, 52, 62], iq3_xxsDigits)
    static let iq3_s = VectorGrid(4, [1, 3, 5, 7, 9, 11, 13, 15], iq3_sDigits)
    static let iq1 = VectorGrid(8, [-1, 0, 1], iq1Digits)

    /// Hexadecimal `digits` make bytes; a byte holds four 2-bit indices of three `levels` or two of eight, lowest
    /// first.
    private init(_ dimension: Int, _ levels: [Float], _ digits: StaticString) {
        self.dimension = dimension
        let width = levels.count <= 4 ? 2 : 4
        let mask = UInt8(levels.count <= 4 ? 3 : 7)
        var points: [Float] = []
        points.reserveCapacity(digits.utf8CodeUnitCount / 2 * (8 / width))
        digits.withUTF8Buffer { digits in
            for index in stride(from: 0, to: digits.count - 1, by: 2) {
                let byte = Self.value(ofDigit: digits[index]) << 4 | Self.value(ofDigit: digits[index + 1])
                for shift in stride(from: 0, to: 8, by: width) {
                    points.append(levels[Int(byte >> UInt8(shift) & mask)])
                }
            }
        }
        self.points = points
    }

    private static func value(ofDigit digit: UInt8) -> UInt8 {
        digit > 0x40 ? (digit & 15) + 9 : digit & 15
    }
}
