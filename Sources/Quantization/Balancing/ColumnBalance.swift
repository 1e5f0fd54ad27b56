package import Compute

/// Refinement `awq`: factors for the columns of matrices that read one input, which whatever makes that input divides by again
/// (activation-aware weight quantization, Lin et al., 2023). Columns that share a scale lose least when those with large
/// inputs come near the largest weight and those with small ones do not set it.
///
/// With a = E[x^2] and w the root mean square of a column's weights, the factors are (a w^2)^g / w: g = 0 makes all weights
/// alike, g = 1/2 all inputs. That a channel's scale is arbitrary in the source changes nothing: a w^2 does not depend on it.
package struct ColumnBalance {
    /// Some rows of the matrices, each multiplied by the root of what its output counts.
    private let weights: Matrix
    /// E[x^2] of each column.
    private let importance: [Float]
    /// The factor that each column takes.
    private let places: [Int]
    private let format: GridFormat
    private let pool: ThreadPool

    /// The g that are tried, in sixteenths: powers that square roots and products give, the same on every machine.
    private static let exponents = 0...6
    /// Factors beyond this, seen from their mean, belong to channels that hardly count.
    private static let reach: Float = 64
    /// The largest error, as a share of the error without factors, that is worth them: what suits the grid that is tried by less
    /// may be worse for another.
    private static let worth = 0.95

    /// A balance of the columns of `weights`, of which `importance` is the second moment of the inputs. `places` names the factor
    /// of each column where several share one; `format` is the grid that errors are tried on.
    package init(
        weights: Matrix, importance: [Float], places: [Int]? = nil, format: GridFormat, pool: ThreadPool
    ) {
        self.weights = weights
        self.importance = importance
        self.places = places ?? Array(0..<weights.columns)
        self.format = format
        self.pool = pool
    }

    /// The factors that leave the least error; nil where none of them helps.
    package func factors() throws(QuantizationError) -> [Float]? {
        let plain = try error(with: [Float](repeating: 1, count: count))
        var best: (factors: [Float], error: Double)?
        for candidate in candidates() {
            let error = try error(with: candidate)
            if error < best?.error ?? (plain * Self.worth) { best = (candidate, error) }
        }
        return best?.factors
    }

    private var count: Int { (places.max() ?? -1) + 1 }

    private func candidates() -> [[Float]] {
        var inputs = [Double](repeating: 0, count: count)
        var squares = [Double](repeating: 0, count: count)
        for column in 0..<weights.columns {
            inputs[places[column]] += Double(importance[column])
            for row in 0..<weights.rows {
                let weight = Double(weights.values[row * weights.columns + column])
                squares[places[column]] += weight * weight
            }
        }
        return Self.candidates(inputs: inputs, squares: squares, exponents: Self.exponents)
    }

    /// Factors (a w^2)^g / w for squares `inputs` of what each channel holds and `squares` of the weights that read it, with g
    /// in sixteenths.
    static func candidates(inputs: [Double], squares: [Double], exponents: ClosedRange<Int>) -> [[Float]] {
        let count = inputs.count
        // Channels that are silent, or that nobody reads, count as if they were not quite.
        let floor = 1e-6
        let (input, square) = (mean(inputs) * floor, mean(squares) * floor)
        guard input > 0, square > 0 else { return [] }
        let roots = (0..<count).map { index in
            let energy = max(inputs[index], input) * max(squares[index], square)
            return (0..<4).reduce(energy) { power, _ in power.squareRoot() }
        }
        return exponents.map { exponent in
            let plain = (0..<count).map { index in
                (0..<exponent).reduce(1 / max(squares[index], square).squareRoot()) { product, _ in
                    product * roots[index]
                }
            }
            let middle = mean(plain)
            return plain.map { min(max(Float($0 / middle), 1 / Self.reach), Self.reach) }
        }
    }

    private static func mean(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(max(1, numbers.count)) }

    /// What the outputs lose by rounding with these factors.
    private func error(with factors: [Float]) throws(QuantizationError) -> Double {
        let columns = weights.columns
        var scaled = weights
        for row in 0..<weights.rows {
            for column in 0..<columns { scaled.values[row * columns + column] *= factors[places[column]] }
        }
        let counts = (0..<columns).map { importance[$0] / (factors[places[$0]] * factors[places[$0]]) }
        let rounded = try GridQuantizer.quantize(scaled, as: format, importance: counts, clip: true, pool: pool)
            .dequantized(pool: pool)
        var sum = 0.0
        for row in 0..<weights.rows {
            for column in 0..<columns {
                let difference = Double(rounded.values[row * columns + column] - scaled.values[row * columns + column])
                sum += Double(counts[column]) * difference * difference
            }
        }
        return sum
    }
}
