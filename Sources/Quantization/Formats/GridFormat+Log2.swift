extension GridFormat {
    /// The points of grid `l`, ascending: 0 and signed powers of two from 64 down, which shifts can multiply.
    ///
    /// An even number of codes leaves one beside 0 and the pairs: one more power on the positive side, which a negative scale
    /// turns to the other. At 4 bits that would be 1/2, no int8 entry, so that 64 stands there twice and code 15 is unused.
    package static func log2Points(bits: Int) -> [Int8] {
        switch bits {
        case 2: [-64, 0, 32, 64]
        case 3: [-64, -32, -16, 0, 8, 16, 32, 64]
        default: [-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64, 64]
        }
    }
}
