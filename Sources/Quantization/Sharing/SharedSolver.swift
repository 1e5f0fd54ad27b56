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
        var prefix = [[0.0, 0, 0, 0]]
        for (place, interval) in filled.enumerated() {
            let own = [sums[3 * interval], sums[3 * interval + 1], sums[3 * interval + 2], counts[interval]]
            prefix.append(zip(prefix[place], own).map { $0 + $1 })
        }
        places = filled.count
        numbers = prefix.map { $0[3] }
        let total = prefix[places][3]
        var errors = [Double](repeating: 0, count: stride * stride)
        var bits = errors
        var points = [Int8](repeating: 0, count: stride * stride)
        for from in 0..<places {
            let (mass, first, second, count) = (prefix[from][0], prefix[from][1], prefix[from][2], prefix[from][3])
            for to in from + 1..<stride {
                let cell = to * stride + from
                let weight = prefix[to][0] - mass
                let sum = prefix[to][1] - first
                let point = weight > 0 ? min(max((sum / weight).rounded(), -127), 127) : 0
                let indices = prefix[to][3] - count
                points[cell] = Int8(point)
                errors[cell] = max(0, prefix[to][2] - second - 2 * point * sum + point * point * weight)
                bits[cell] = indices * (total / indices).binaryLogarithm
            }
        }
        energy = prefix[places][2]
        (self.errors, self.bits, self.points) = (errors, bits, points)
    }

    /// The best cells, at most `limit`, whose indices take at most `rate` bits on average, and the lambda that they are the best for.
    package func solve(rate: Double, limit: Int) -> (cells: Cells, lambda: Double) {
        let total = numbers[places]
        // Each bit less makes the error and lambda four times as large.
        var upper = max(energy / max(total, 1), 1e-30)
        for _ in 0..<Int(2 * rate) { upper /= 2 }
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

    /// The cells, at most `limit` of them, with the least error + lambda * bits.
    package func solve(lambda: Double, limit: Int) -> Cells {
        let costs = zip(errors, bits).map { $0 + lambda * $1 }
        let free = path(costs)
        return cells(free.count <= limit ? free : path(costs, limit: limit))
    }

    /// Where each cell of the shortest path ends.
    private func path(_ costs: [Double]) -> [Int] {
        var least = [0.0]
        var before = [0]
        for to in 1..<max(places + 1, 1) {
            let best = step(to, from: 0..<to, least, costs)
            least.append(best.cost)
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

    /// The same with at most `limit` cells.
    private func path(_ costs: [Double], limit: Int) -> [Int] {
        var least = [0.0] + [Double](repeating: .infinity, count: places)
        var befores: [[Int]] = []
        var best = (cost: Double.infinity, cells: 0)
        for cells in 1...limit {
            var next = [Double](repeating: .infinity, count: places + 1)
            var before = [Int](repeating: 0, count: places + 1)
            for to in 1..<places + 1 {
                let way = step(to, from: 0..<to, least, costs)
                (next[to], before[to]) = (way.cost, way.from)
            }
            befores.append(before)
            least = next
            if least[places] < best.cost { best = (least[places], cells) }
        }
        var ends: [Int] = []
        var place = places
        for before in befores[..<best.cells].reversed() {
            ends.append(place)
            place = before[place]
        }
        return ends.reversed()
    }

    /// The best way to a place through a last cell that begins at one of `starts`.
    private func step(
        _ to: Int, from starts: Range<Int>, _ least: [Double], _ costs: [Double]
    ) -> (cost: Double, from: Int) {
        least.withUnsafeBufferPointer { least in
            costs.withUnsafeBufferPointer { costs in
                var best = (cost: Double.infinity, from: starts.lowerBound)
                for from in starts {
                    let cost = least[from] + costs[to * (places + 1) + from]
                    if cost < best.cost { best = (cost, from) }
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
