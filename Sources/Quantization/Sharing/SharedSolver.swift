/// The entropy-constrained quantizer of a histogram (Chou, Lookabaugh and Gray, 1989), exactly: a cell costs its error and lambda times
/// the bits of its indices, n log2(N / n), whatever the other cells are, so that the best cells are a shortest path (Muresan and
/// Effros, 2008).
package struct SharedSolver {
    /// Places between intervals that hold weights: 0, ..., count.
    private let places: Int
    /// Weights before each place.
    private let numbers: [Double]
    /// Of the cell from place a to place b, at b * (places + 1) + a.
    private let errors: [Double]
    private let bits: [Double]
    private let points: [Int8]
    /// Sum of v * x^2.
    private let energy: Double

    /// Cells in order.
    package struct Cells: Sendable {
        /// Ascending; cells that are far out may share one.
        package var points: [Int8]
        /// Bits of an index of each cell.
        package var lengths: [Double]
        package var error: Double
        /// Of all indices together.
        package var bits: Double
    }

    /// A solver for a histogram of [interval][v, v * x, v * x^2] sums and of numbers of weights, in the intervals of
    /// `CodebookSolver`.
    package init(sums: [Double], counts: [Double]) {
        let filled = counts.indices.filter { counts[$0] > 0 }
        let stride = filled.count + 1
        var prefix = [SIMD4<Double>.zero]
        for (place, interval) in filled.enumerated() {
            let own = SIMD4(sums[3 * interval], sums[3 * interval + 1], sums[3 * interval + 2], counts[interval])
            prefix.append(prefix[place] + own)
        }
        places = filled.count
        numbers = prefix.map { $0[3] }
        let total = prefix[places][3]
        var errors = [Double](repeating: 0, count: stride * stride)
        var bits = errors
        var points = [Int8](repeating: 0, count: stride * stride)
        for from in 0..<places {
            for to in from + 1..<stride {
                let cell = to * stride + from
                let own = prefix[to] - prefix[from]
                let point = own[0] > 0 ? min(max((own[1] / own[0]).rounded(), -127), 127) : 0
                points[cell] = Int8(point)
                errors[cell] = max(0, own[2] - 2 * point * own[1] + point * point * own[0])
                bits[cell] = own[3] * (total / own[3]).binaryLogarithm
            }
        }
        energy = prefix[places][2]
        (self.errors, self.bits, self.points) = (errors, bits, points)
    }

    /// The best cells, at most `limit`, whose indices take at most `rate` bits on average, and the lambda that they are the best for.
    package func solve(rate: Double, limit: Int) -> (cells: Cells, lambda: Double) {
        let total = numbers[places]
        var upper = start(rate)
        var cells = solve(lambda: upper, limit: limit)
        for _ in 0..<64 where cells.bits > rate * total {
            upper *= 2
            cells = solve(lambda: upper, limit: limit)
        }
        var lower = upper / 2
        for _ in 0..<64 {
            let next = solve(lambda: lower, limit: limit)
            guard next.bits <= rate * total else { break }
            (upper, cells) = (lower, next)
            lower /= 2
        }
        for _ in 0..<8 {
            let middle = (lower + upper) / 2
            let next = solve(lambda: middle, limit: limit)
            if next.bits <= rate * total { (upper, cells) = (middle, next) } else { lower = middle }
        }
        return (cells, upper)
    }

    /// How good a quantizer of about `rate` bits can be: the logarithm of the error, as if it took no bits at all. Less is better.
    package func merit(rate: Double, limit: Int) -> Double {
        var lambda = start(rate)
        var cells = solve(lambda: lambda, limit: limit)
        for _ in 0..<2 {
            lambda *= min(max(1 + 1.386 * (cells.bits / numbers[places] - rate), 0.25), 4)
            cells = solve(lambda: lambda, limit: limit)
        }
        return max(cells.error, .leastNormalMagnitude).binaryLogarithm + 2 * cells.bits / numbers[places]
    }

    /// A lambda for about `rate` bits: each bit less makes the error and lambda four times as large.
    private func start(_ rate: Double) -> Double {
        var lambda = max(energy / numbers[places], 1e-30)
        for _ in 0..<Int(2 * rate) { lambda /= 2 }
        return lambda
    }

    /// The cells with the least error + lambda * bits. Where they are more than `limit`, each cell has a price that makes them fewer.
    package func solve(lambda: Double, limit: Int) -> Cells {
        let costs = zip(errors, bits).map { $0 + lambda * $1 }
        var best = path(costs, price: 0)
        guard best.count > limit else { return cells(best) }
        var upper = lambda
        best = path(costs, price: upper)
        while best.count > limit {
            upper *= 2
            best = path(costs, price: upper)
        }
        var lower = upper > lambda ? upper / 2 : 0
        for _ in 0..<6 {
            let middle = (lower + upper) / 2
            let next = path(costs, price: middle)
            if next.count <= limit { (upper, best) = (middle, next) } else { lower = middle }
        }
        return cells(best)
    }

    /// Where each cell of the shortest path ends.
    private func path(_ costs: [Double], price: Double) -> [Int] {
        var least = [0.0]
        var before = [0]
        for to in 1..<places + 1 {
            let best = step(to, least, costs)
            least.append(best.cost + price)
            before.append(best.from)
        }
        var ends: [Int] = []
        var place = places
        while place > 0 {
            ends.append(place)
            place = before[place]
        }
        return ends.reversed()
    }

    /// The best way to a place through its last cell, of equal ones the one with the longest cell.
    private func step(_ to: Int, _ least: [Double], _ costs: [Double]) -> (cost: Double, from: Int) {
        least.withUnsafeBufferPointer { least in
            costs.withUnsafeBufferPointer { costs in
                let row = UnsafeBufferPointer(rebasing: costs[to * (places + 1)..<(to + 1) * (places + 1)])
                var lanes = SIMD8<Double>(repeating: .infinity)
                var froms = SIMD8<Int64>.zero
                var numbers = SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7)
                for start in stride(from: 0, to: to - to % 8, by: 8) {
                    var cost = SIMD8<Double>()
                    for lane in 0..<8 { cost[lane] = least[start + lane] + row[start + lane] }
                    let isLess = cost .< lanes
                    lanes.replace(with: cost, where: isLess)
                    froms.replace(with: numbers, where: isLess)
                    numbers &+= 8
                }
                var best = (cost: Double.infinity, from: 0)
                for lane in 0..<8
                where lanes[lane] < best.cost || lanes[lane] == best.cost && Int(froms[lane]) < best.from {
                    best = (lanes[lane], Int(froms[lane]))
                }
                for from in to - to % 8..<to where least[from] + row[from] < best.cost {
                    best = (least[from] + row[from], from)
                }
                return best
            }
        }
    }

    private func cells(_ ends: [Int]) -> Cells {
        var result = Cells(points: [], lengths: [], error: 0, bits: 0)
        for (from, to) in zip([0] + ends, ends) {
            let cell = to * (places + 1) + from
            result.points.append(points[cell])
            result.lengths.append((numbers[places] / (numbers[to] - numbers[from])).binaryLogarithm)
            result.error += errors[cell]
            result.bits += bits[cell]
        }
        return result
    }
}
