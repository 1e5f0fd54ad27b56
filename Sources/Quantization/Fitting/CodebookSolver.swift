/// The exact weighted k-means of a histogram with int8 centres, by dynamic programming (Wang and Song, "Ckmeans.1d.dp", 2011,
/// for centres from a fixed set).
struct CodebookSolver {
    /// Prefix sums of v, v * x and v * x^2 over the intervals of `PointTable.nearestCodes`.
    private var mass: [Double] = [0]
    private var first: [Double] = [0]
    private var second: [Double] = [0]

    /// A solver for a histogram of [interval][v, v * x, v * x^2] sums.
    init(sums: [Double]) {
        for interval in 0..<PointTable.intervals {
            mass.append(mass[interval] + sums[3 * interval])
            first.append(first[interval] + sums[3 * interval + 1])
            second.append(second[interval] + sums[3 * interval + 2])
        }
    }

    /// The `count` points in -127...127 (2...128 of them) with the least sum of v * (x - nearest point)^2, ascending.
    func points(_ count: Int) -> [Int8] {
        let places = 255
        let between = costsBetween(places)
        var cost = (0..<places).map { error(0, Self.boundary($0, $0), to: $0) }
        var previous = [UInt8](repeating: 0, count: count * places)
        for chosen in 1..<count {
            // Place p can be point number `chosen` only with as many places below it.
            var next = [Double](repeating: .infinity, count: places)
            for place in chosen..<places {
                var least = Double.infinity
                var best = 0
                for before in chosen - 1..<place {
                    let total = cost[before] + between[place * places + before]
                    if total < least {
                        least = total
                        best = before
                    }
                }
                next[place] = least
                previous[chosen * places + place] = UInt8(best)
            }
            cost = next
        }
        let ends = (0..<places).map { cost[$0] + error(Self.boundary($0, $0), PointTable.intervals, to: $0) }
        var place = ends.indices.min { ends[$0] < ends[$1] } ?? 0
        var result = [Int8](repeating: 0, count: count)
        for chosen in (0..<count).reversed() {
            result[chosen] = Int8(place - 127)
            place = Int(previous[chosen * places + place])
        }
        return result
    }

    /// The error of everything between two neighbouring points, for each upper and lower place.
    private func costsBetween(_ places: Int) -> [Double] {
        var result = [Double](repeating: 0, count: places * places)
        for upper in 1..<places {
            for lower in 0..<upper {
                let middle = Self.boundary(lower, upper)
                result[upper * places + lower] =
                    error(Self.boundary(lower, lower), middle, to: lower)
                    + error(middle, Self.boundary(upper, upper), to: upper)
            }
        }
        return result
    }

    /// The interval that begins halfway between two places.
    private static func boundary(_ lower: Int, _ upper: Int) -> Int { lower + upper - 254 + 256 }

    /// Sum of v * (x - point)^2 over intervals from..<to.
    private func error(_ from: Int, _ to: Int, to place: Int) -> Double {
        let point = Double(place - 127)
        return second[to] - second[from] - 2 * point * (first[to] - first[from])
            + point * point * (mass[to] - mass[from])
    }
}
