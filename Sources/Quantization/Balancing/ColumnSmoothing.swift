package import Compute

/// Refinement `smooth`: factors for the columns of matrices that read one statically quantized input, which whatever makes that
/// input divides by again (SmoothQuant, Xiao et al., 2022). One scale for a whole input suits it the better the more alike its
/// channels are, and one for a row of weights likewise; the factors with the least of both errors are taken.
package struct ColumnSmoothing {
    /// Some rows of the matrices, each multiplied by the root of what its output counts.
    private let weights: Matrix
    /// The largest magnitude of each column's input.
    private let magnitudes: [Float]
    /// E[x^2] of each column.
    private let importance: [Float]
    /// The factor that each column takes.
    private let places: [Int]

    /// The powers that are tried, in eighths of what is moved: 0 leaves all inputs alike, 8 all weights.
    private static let exponents = 0...8

    /// A smoothing of the columns of `weights`; `places` names the factor of each column where several share one.
    package init(weights: Matrix, magnitudes: [Float], importance: [Float], places: [Int]? = nil) {
        self.weights = weights
        self.magnitudes = magnitudes
        self.importance = importance
        self.places = places ?? Array(0..<weights.columns)
    }

    /// The factors that leave the least error; nil where none of them helps.
    package func factors() -> [Float]? {
        let count = (places.max() ?? -1) + 1
        var inputs = [Double](repeating: 0, count: count)
        var squares = [Double](repeating: 0, count: count)
        for column in 0..<weights.columns {
            let place = places[column]
            inputs[place] = max(inputs[place], Double(magnitudes[column]) * Double(magnitudes[column]))
            for row in 0..<weights.rows {
                let weight = Double(weights.values[row * weights.columns + column])
                squares[place] = max(squares[place], weight * weight)
            }
        }
        var best: [Float]?
        var least = error(with: [Float](repeating: 1, count: count))
        for candidate in ColumnBalance.candidates(inputs: inputs, squares: squares, exponents: Self.exponents) {
            let error = error(with: candidate)
            if error < least { (best, least) = (candidate, error) }
        }
        return best
    }

    /// What outputs lose by rounding inputs to one scale and weights to one for each row, up to a factor: a rounded number is off
    /// by step^2 / 12 in the mean.
    private func error(with factors: [Float]) -> Double {
        var widest = 0.0
        var scaledInputs = 0.0
        for column in 0..<weights.columns {
            let factor = Double(factors[places[column]])
            widest = max(widest, Double(magnitudes[column]) / factor)
            scaledInputs += Double(importance[column]) / (factor * factor)
        }
        var sum = 0.0
        for row in 0..<weights.rows {
            var squares = 0.0
            var largest = 0.0
            for column in 0..<weights.columns {
                let plain = abs(Double(weights.values[row * weights.columns + column]))
                let weight = plain * Double(factors[places[column]])
                squares += weight * weight
                largest = max(largest, weight)
            }
            sum += widest * widest * squares + largest * largest * scaledInputs
        }
        return sum
    }
}
