/// The int8 points that codes stand for, ascending, and which of them is nearest to a number.
struct PointTable {
    /// Ascending. A point may stand there twice at the end, where a grid has fewer points than codes.
    let points: [Int8]

    /// The code of the point nearest to every x in [(i - 256) / 2, (i - 255) / 2), for i = 0...511: halfway between two
    /// integers is a multiple of 1/2, so that one code serves an interval.
    func nearestCodes() -> [UInt8] {
        var code = 0
        return (0..<Self.intervals).map { interval in
            while code + 1 < points.count, points[code + 1] > points[code],
                Int(points[code]) + Int(points[code + 1]) + 256 <= interval
            {
                code += 1
            }
            return UInt8(code)
        }
    }

    /// The nearest points themselves, for the same intervals.
    func nearestPoints() -> [Float] { nearestCodes().map { Float(points[Int($0)]) } }

    static let intervals = 512
}
