extension GridFormat {
    /// The points of a grid whose points are the same for every tensor, ascending; nil for other grids.
    package var fixedPoints: [Int8]? {
        switch grid {
        case .log2: Self.log2Points(bits: bits)
        case .twoPowers: Self.twoPowerPoints(bits: bits)
        case .uniform, .affine, .codebook: nil
        }
    }

    /// The points of grid `l`, ascending: 0 and signed powers of two from 64 down, which shifts can multiply.
    ///
    /// An even number of codes leaves one beside 0 and the pairs: one more power on the positive side, which a negative scale
    /// turns to the other. At 4 bits that would be 1/2, no int8 entry, so that 64 stands there twice and code 15 is unused.
    private static func log2Points(bits: Int) -> [Int8] {
        switch bits {
        case 2: [-64, 0, 32, 64]
        case 3: [-64, -32, -16, 0, 8, 16, 32, 64]
        default: [-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64, 64]
        }
    }

    /// The points of grid `p`, ascending: 0 and sums of two signed powers of two, which two shifts and an addition can multiply
    /// (additive powers of two, Li, Dong and Wang, ICLR 2020, with a sign for each).
    ///
    /// What is left of all such sums when the one that normally distributed weights miss least is left out, one by one; at 4 and 5
    /// bits no exchange for another sum would be better. One is on the positive side only, as in grid `l`.
    private static func twoPowerPoints(bits: Int) -> [Int8] {
        let pairs: [Int8]
        let single: Int8
        switch bits {
        case 4: (pairs, single) = (Array(1...6) + [8], 10)
        case 5: (pairs, single) = (Array(1...10) + [12, 14, 16, 20, 24], 18)
        default:
            let outer: [Int8] = [36, 40, 48, 56, 60, 68, 80]
            (pairs, single) = (Array(1...10) + [12] + Array(14...18) + [20, 24, 28] + Array(30...34) + outer, 64)
        }
        return (pairs.map { -$0 } + [0] + pairs + [single]).sorted()
    }
}
