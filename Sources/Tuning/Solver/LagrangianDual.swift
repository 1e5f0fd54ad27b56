/// The Lagrangian bound of a knapsack: with multipliers m >= 0,
///
///     L(m) = sum over groups of min over items (value + m . weights) - m . (limits - fixed)
///
/// is at most the value of every selection that keeps the limits. L is concave and piecewise linear; its maximum is found
/// by bisection for one multiplier and by the ellipsoid method with deep cuts (Bland, Goldfarb and Todd, 1981) for more,
/// which needs no step size and stops by its own proof.
struct LagrangianDual {
    /// A point of the dual function.
    struct Point {
        var multipliers: [Double]
        /// L at the multipliers: a lower bound.
        var bound: Double
        /// The minimising item of each group.
        var selection: [Int]
        /// The sums of that selection less the limits: a supergradient of L.
        var slope: [Double]
    }

    let instance: KnapsackInstance

    /// Multipliers are searched up to this many times their natural unit (the objective's range by the cost's).
    private static let reach = 1e6
    /// How many times the largest multiplier of a similar instance one may be away from it.
    private static let vicinity = 4.0
    /// The search ends where less than this part of the objective's range, or ten times that of the bound, is left to gain.
    private static let precision = 1e-9
    /// Cuts for each pair of multipliers: the ellipsoid's radius falls by a factor of e in 2n(n + 1) cuts at worst.
    private static let roundsPerPair = 60

    /// L at `multipliers`.
    func point(at multipliers: [Double]) -> Point {
        let count = instance.keys.count
        var bound = 0.0
        var magnitude = 0.0
        var selection: [Int] = []
        selection.reserveCapacity(instance.groups)
        var slope = zip(instance.fixed, instance.limits).map { $0 - $1 }
        for group in 0..<instance.groups {
            var best = Double.infinity
            var chosen = instance.items(of: group).lowerBound
            for item in instance.items(of: group) {
                var cost = instance.values[item]
                for slot in 0..<count { cost += multipliers[slot] * instance.weights[item * count + slot] }
                if cost < best {
                    best = cost
                    chosen = item
                }
            }
            bound += best
            magnitude += abs(best)
            selection.append(chosen)
            for slot in 0..<count { slope[slot] += instance.weights[chosen * count + slot] }
        }
        for slot in 0..<count {
            bound += multipliers[slot] * (instance.fixed[slot] - instance.limits[slot])
            magnitude += multipliers[slot] * (abs(instance.fixed[slot]) + abs(instance.limits[slot]))
        }
        // What rounding may have added must not make the bound exceed the optimum.
        return Point(multipliers: multipliers, bound: bound - 1e-14 * magnitude, selection: selection, slope: slope)
    }

    /// Raises L as far as it goes, from the maximum `near` of a similar instance where there is one. `visit` sees every point on
    /// the way that is the best so far.
    func maximum(near: [Double]? = nil, visit: (Point) -> Void) -> Point {
        let origin = point(at: [Double](repeating: 0, count: instance.keys.count))
        visit(origin)
        guard origin.slope.contains(where: { $0 > 0 }) else { return origin }
        return instance.keys.count == 1 ? bisect(from: origin, visit) : shrinkEllipsoid(from: origin, near: near, visit)
    }

    private func unit(_ slot: Int) -> Double { instance.valueScale / instance.scales[slot] }

    private func bisect(from origin: Point, _ visit: (Point) -> Void) -> Point {
        var best = origin
        var low = 0.0
        var high = Self.reach * unit(0)
        while high - low > 1e-15 * high {
            // The square root of the ends' product finds small multipliers in few steps.
            let middle = low > 0 ? (low * high).squareRoot() : high * 1e-3
            guard (low...high).contains(middle), middle != low, middle != high else { break }
            let next = point(at: [middle])
            if next.bound > best.bound {
                best = next
                visit(next)
            }
            if next.slope[0] > 0 { low = middle } else { high = middle }
        }
        return best
    }

    /// Works in units of `unit(slot)`, in which all multipliers are of one size. The ellipsoid is `centre + root * ball`, which
    /// rounding cannot turn inside out as it can its square.
    private func shrinkEllipsoid(from origin: Point, near: [Double]?, _ visit: (Point) -> Void) -> Point {
        let n = instance.keys.count
        let size = Double(n)
        var best = origin
        var centre = near.map { near in (0..<n).map { near[$0] / unit($0) } } ?? [Double](repeating: 0, count: n)
        let radius = near == nil ? Self.reach : Self.vicinity * max(centre.max() ?? 0, 1 / Self.reach)
        var root = (0..<n).map { row in (0..<n).map { $0 == row ? radius : 0 } }
        for _ in 0..<Self.roundsPerPair * n * (n + 1) {
            // -L is minimised: `gradient` points to where it grows; everything better than the best point lies at least
            // `depth` of its scale behind the centre.
            var gradient = [Double](repeating: 0, count: n)
            let depth: Double
            let negative = centre.indices.filter { centre[$0] < 0 }.min { centre[$0] < centre[$1] }
            if let negative {
                gradient[negative] = -1
                depth = -centre[negative]
            } else {
                let next = point(at: centre.indices.map { centre[$0] * unit($0) })
                if next.bound > best.bound {
                    best = next
                    visit(next)
                }
                gradient = centre.indices.map { -next.slope[$0] * unit($0) }
                depth = best.bound - next.bound
            }
            var direction = (0..<n).map { column in (0..<n).reduce(0) { $0 + root[$1][column] * gradient[$1] } }
            let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let enough = Self.precision * min(instance.valueScale, 10 * abs(best.bound))
            guard norm > 0, negative != nil || norm > enough else { break }
            for column in 0..<n { direction[column] /= norm }
            // A cut just short of the best point keeps the ellipsoid from collapsing to a disc.
            let alpha = min(depth / norm, 0.99)
            let across = size * ((1 - alpha * alpha) / (size * size - 1)).squareRoot()
            let along = size * (1 - alpha) / (size + 1)
            let image = (0..<n).map { row in (0..<n).reduce(0) { $0 + root[row][$1] * direction[$1] } }
            for row in 0..<n {
                centre[row] -= (1 + size * alpha) / (size + 1) * image[row]
                for column in 0..<n {
                    root[row][column] = across * root[row][column] - (across - along) * image[row] * direction[column]
                }
            }
        }
        return best
    }
}
