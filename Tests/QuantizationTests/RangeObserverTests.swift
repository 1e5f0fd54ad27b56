import Compute
import Quantization
import Testing

@Suite("Ranges of static inputs")
struct RangeObserverTests {
    /// Rows of a bell-shaped input with a few numbers far outside; the first row of each 8 is larger than all.
    private func inputs(outliers: Int = 3) -> Matrix {
        var random = SeededGenerator(seed: 5)
        var matrix = Matrix(rows: 64, columns: 128)
        for index in matrix.values.indices {
            matrix.values[index] = (0..<12).reduce(Float(-6)) { sum, _ in sum + Float(random.unit()) }
        }
        for index in 0..<outliers { matrix.values[(8 * index + 3) % 64 * 128 + index] = 30 + Float(index) }
        for row in 0..<64 where row.isMultiple(of: 8) { matrix.values[row * 128] = 4000 }
        return matrix
    }

    /// The mean squared error of rounding all but first rows to 127 steps of `range` on each side.
    private func error(_ matrix: Matrix, _ range: Float) -> Double {
        var sum = 0.0
        for row in 0..<64 where !row.isMultiple(of: 8) {
            for value in matrix.values[row * 128..<(row + 1) * 128] {
                let step = range / 127
                let rounded = max(-127, min(127, (value / step).rounded())) * step
                sum += Double((rounded - value) * (rounded - value))
            }
        }
        return sum
    }

    @Test("the first token of a sequence does not count, and min-max covers all others")
    func minMax() {
        let histogram = MagnitudeHistogram(of: inputs(), sequence: 8)
        #expect(histogram.largest == 32)
        #expect(histogram.counts.reduce(0, +) == 56 * 128)
        #expect(RangeObserver.minMax.range(of: histogram) == 32)
    }

    @Test("mse finds the range that a search over the numbers themselves finds")
    func leastError() {
        let matrix = inputs(outliers: 40)
        let range = RangeObserver.mse.range(of: MagnitudeHistogram(of: matrix, sequence: 8))
        let best = stride(from: Float(1), through: 72, by: 0.25).map { error(matrix, $0) }.min() ?? 0
        // Candidates are 16 bins apart.
        #expect(error(matrix, range) <= best * 1.03)
    }

    @Test("percentile leaves one number in ten thousand out")
    func percentile() {
        let matrix = inputs(outliers: 0)
        let magnitudes = (0..<64 * 128).filter { !($0 / 128).isMultiple(of: 8) }.map { abs(matrix.values[$0]) }.sorted()
        let histogram = MagnitudeHistogram(of: matrix, sequence: 8)
        let expected = magnitudes[Int((Double(magnitudes.count) * 0.9999).rounded(.up)) - 1]
        let bin = histogram.largest / Float(MagnitudeHistogram.bins)
        #expect(abs(RangeObserver.percentile.range(of: histogram) - expected) <= bin)
    }

    @Test("entropy cuts a lone outlier off and keeps all of an even spread")
    func entropy() {
        let lone = RangeObserver.entropy.range(of: MagnitudeHistogram(of: inputs(outliers: 1), sequence: 8))
        #expect(lone < 10)
        var even = Matrix(rows: 63, columns: 128)
        for index in even.values.indices { even.values[index] = Float(index % 1000) / 1000 }
        let histogram = MagnitudeHistogram(of: even, sequence: Int(Int32.max))
        #expect(RangeObserver.entropy.range(of: histogram) > 0.95 * histogram.largest)
    }
}

@Suite("Smoothing of columns before a static input")
struct ColumnSmoothingTests {
    @Test("a channel of large inputs is moved into the weights, and what both roundings lose falls")
    func outlierChannel() throws {
        var random = SeededGenerator(seed: 8)
        var weights = Matrix(rows: 32, columns: 64)
        for index in weights.values.indices { weights.values[index] = Float(random.unit() - 0.5) }
        var inputs = Matrix(rows: 256, columns: 64)
        for index in inputs.values.indices {
            inputs.values[index] = Float(random.unit() - 0.5) * (index % 64 == 7 ? 100 : 1)
        }
        let columns = (0..<64).map { column in (0..<256).map { inputs.values[$0 * 64 + column] } }
        let smoothing = ColumnSmoothing(
            weights: weights, magnitudes: columns.map { $0.map(abs).max() ?? 0 },
            importance: columns.map { $0.reduce(0) { $0 + $1 * $1 } / 256 })
        let factors = try #require(smoothing.factors())
        #expect(factors[7] > 3 * (factors[6] + factors[8]) / 2)
        #expect(outputError(inputs, weights, factors) < outputError(inputs, weights, nil) / 4)
    }

    @Test("channels that share a factor get one")
    func sharedPlaces() throws {
        var weights = Matrix(rows: 4, columns: 8)
        for index in weights.values.indices { weights.values[index] = 1 }
        let smoothing = ColumnSmoothing(
            weights: weights, magnitudes: [1, 1, 50, 1, 1, 1, 1, 1], importance: [1, 1, 900, 1, 1, 1, 1, 1],
            places: [0, 1, 2, 3, 0, 1, 2, 3])
        #expect(try #require(smoothing.factors()).count == 4)
    }

    /// The squared error of outputs whose inputs and weights are rounded to 8 bits: one scale for inputs, one for each row.
    private func outputError(_ inputs: Matrix, _ weights: Matrix, _ factors: [Float]?) -> Double {
        func rounded(_ values: [Float]) -> [Double] {
            let step = (values.map(abs).max() ?? 1) / 127
            return values.map { Double(($0 / step).rounded() * step) }
        }
        let scaled = rounded(inputs.values.enumerated().map { $1 / (factors?[$0 % 64] ?? 1) })
        let rows = (0..<32).map { row in
            rounded((0..<64).map { weights.values[row * 64 + $0] * (factors?[$0] ?? 1) })
        }
        var sum = 0.0
        for token in 0..<256 {
            for row in 0..<32 {
                var found = 0.0
                var exact = 0.0
                for column in 0..<64 {
                    found += scaled[token * 64 + column] * rows[row][column]
                    exact += Double(inputs.values[token * 64 + column]) * Double(weights.values[row * 64 + column])
                }
                sum += (found - exact) * (found - exact)
            }
        }
        return sum
    }
}
