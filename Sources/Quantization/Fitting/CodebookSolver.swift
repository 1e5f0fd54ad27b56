/// The exact weighted k-means of a histogram with int8 centres, by dynamic programming (as Ckmeans.1d.dp, Wang and Song, 2011,
/// for centres from a fixed set).
package struct CodebookSolver {
    /// Prefix sums over the intervals of `PointTable.nearestCodes`.
    private let prefix: [Moments]
    /// Places 0..<255 are the points -127...127.
    private static let places = 255

    /// Sums of v, v * x and v * x^2.
    private struct Moments {
        var mass = 0.0
        var first = 0.0
        var second = 0.0
    }

    /// A solver for a histogram of [interval][v, v * x, v * x^2] sums, interval i of 512 being x in [(i - 256) / 2, (i - 255) / 2):
    /// halfway between two points is a boundary, so that nothing of the histogram's is lost.
    package init(sums: [Double]) {
        var prefix = [Moments()]
        for interval in 0..<PointTable.intervals {
            var next = prefix[interval]
            next.mass += sums[3 * interval]
            next.first += sums[3 * interval + 1]
            next.second += sums[3 * interval + 2]
            prefix.append(next)
        }
        self.prefix = prefix
    }

    /// The `count` points in -127...127 (2...256 of them) with the least sum of v * (x - nearest point)^2, ascending, and that
    /// sum. The last of 256, which is one more than there are, stands there twice.
    package func solve(_ count: Int) -> (points: [Int8], error: Double) {
        guard count <= Self.places else {
            let best = solve(Self.places)
            return (best.points + [Int8.max], best.error)
        }
        // Layer n: for each place, the least error of everything below it with n + 1 points, the place being the last.
        var layer = Layer(
            cost: (0..<Self.places).map { error(0, Self.boundary($0, $0), to: $0) },
            before: [Int](repeating: 0, count: Self.places))
        var befores: [[Int]] = []
        for chosen in 1..<count {
            var next = layer
            for place in 0..<chosen { next.cost[place] = .infinity }
            fill(&next, chosen..<Self.places, from: layer.cost, chosen - 1..<Self.places)
            befores.append(next.before)
            layer = next
        }
        let ends = (0..<Self.places).map {
            layer.cost[$0] + error(Self.boundary($0, $0), PointTable.intervals, to: $0)
        }
        var place = ends.indices.min { ends[$0] < ends[$1] } ?? 0
        let least = ends[place]
        var points = [Int8(place - 127)]
        for before in befores.reversed() {
            place = before[place]
            points.append(Int8(place - 127))
        }
        return (points.reversed(), least)
    }

    private struct Layer {
        var cost: [Double]
        /// The place of the point before the last.
        var before: [Int]
    }

    /// Fills `places` of a layer from the one before, whose best places lie in `candidates`. The error between two points is a
    /// Monge array (Woeginger, "Monge strikes again", 2000), so that best places never fall back as places advance: the middle
    /// place is solved, and its best one bounds both halves.
    private func fill(_ layer: inout Layer, _ places: Range<Int>, from cost: [Double], _ candidates: Range<Int>) {
        guard !places.isEmpty else { return }
        let middle = (places.lowerBound + places.upperBound) / 2
        var least = Double.infinity
        var best = candidates.lowerBound
        for before in candidates.lowerBound..<min(candidates.upperBound, middle) {
            let total = cost[before] + between(before, middle)
            if total < least { (least, best) = (total, before) }
        }
        layer.cost[middle] = least
        layer.before[middle] = best
        fill(&layer, places.lowerBound..<middle, from: cost, candidates.lowerBound..<best + 1)
        fill(&layer, middle + 1..<places.upperBound, from: cost, best..<candidates.upperBound)
    }

    /// The error of everything between two neighbouring points.
    private func between(_ lower: Int, _ upper: Int) -> Double {
        let middle = Self.boundary(lower, upper)
        return error(Self.boundary(lower, lower), middle, to: lower)
            + error(middle, Self.boundary(upper, upper), to: upper)
    }

    /// The interval that begins halfway between two places.
    private static func boundary(_ lower: Int, _ upper: Int) -> Int { lower + upper - 254 + 256 }

    /// Sum of v * (x - point)^2 over intervals from..<to.
    private func error(_ from: Int, _ to: Int, to place: Int) -> Double {
        let point = Double(place - 127)
        let low = prefix[from]
        let high = prefix[to]
        return high.second - low.second - 2 * point * (high.first - low.first)
            + point * point * (high.mass - low.mass)
    }
}
