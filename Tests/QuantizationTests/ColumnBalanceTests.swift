import Compute
import Foundation
import Quantization
import Testing

/// Refinement `awq`: the factors of columns, by what rounding leaves of the output.
@Suite struct ColumnBalanceTests {
    private static let format = GridFormat(.uniform, bits: 4, .group(32))
    private let pool = ThreadPool(threads: 2)

    /// Columns whose weights and inputs differ in size, as those of a language model do.
    private static func uneven(seed: UInt64) -> (weights: Matrix, importance: [Float]) {
        var generator = SeededGenerator(seed: seed)
        var weights = Matrix.random(rows: 48, columns: 128, seed: seed + 1)
        let sizes = (0..<128).map { _ in Float(exp2(0.7 * generator.normal())) }
        for index in weights.values.indices { weights.values[index] *= sizes[index % 128] }
        return (weights, (0..<128).map { _ in Float(exp2(2.5 * generator.normal())) })
    }

    /// The expected square of the output's error when the columns are multiplied by `factors` for rounding.
    private func error(_ weights: Matrix, _ importance: [Float], _ factors: [Float]) throws -> Double {
        var scaled = weights
        for index in scaled.values.indices { scaled.values[index] *= factors[index % factors.count] }
        let counts = zip(importance, factors).map { $0 / ($1 * $1) }
        let rounded = try GridQuantizer.quantize(scaled, as: Self.format, importance: counts, clip: true, pool: pool)
            .dequantized()
        return scaled.values.indices.reduce(0) { sum, index in
            let column = index % factors.count
            let difference = Double(rounded.values[index] / factors[column] - weights.values[index])
            return sum + Double(importance[column]) * difference * difference
        }
    }

    /// On rows that the factors were not found on.
    @Test func roundingLosesLess() throws {
        let (weights, importance) = Self.uneven(seed: 91)
        let half = 24 * 128
        let seen = Matrix(rows: 24, columns: 128, values: Array(weights.values[..<half]))
        let unseen = Matrix(rows: 24, columns: 128, values: Array(weights.values[half...]))
        let factors = try #require(
            try ColumnBalance(weights: seen, importance: importance, format: Self.format, pool: pool).factors())
        let plain = try error(unseen, importance, [Float](repeating: 1, count: 128))
        let balanced = try error(unseen, importance, factors)
        #expect(balanced < 0.75 * plain, "\(balanced), \(plain)")
    }

    /// A channel whose weights are divided by what its inputs are multiplied by is the same channel.
    @Test func theScaleOfAChannelInTheSourceDoesNotMatter() throws {
        let (weights, importance) = Self.uneven(seed: 92)
        let moves = (0..<128).map { exp2(Float($0 % 3) - 1) }
        var moved = weights
        for index in moved.values.indices { moved.values[index] *= moves[index % 128] }
        let first = try #require(
            try ColumnBalance(weights: weights, importance: importance, format: Self.format, pool: pool).factors())
        let second = try #require(
            try ColumnBalance(
                weights: moved, importance: zip(importance, moves).map { $0 / ($1 * $1) }, format: Self.format,
                pool: pool
            ).factors())
        let ratios = (0..<128).map { second[$0] * moves[$0] / first[$0] }
        // One common factor; float32 rounding is all that is between the others.
        for ratio in ratios { #expect(abs(ratio / ratios[0] - 1) < 1e-4) }
    }

    /// Columns that are alike have nothing to gain, and silent ones do no harm.
    @Test func likeColumnsStayAsTheyAre() throws {
        let weights = Matrix.random(rows: 512, columns: 64, seed: 93)
        let even = ColumnBalance(
            weights: weights, importance: [Float](repeating: 2, count: 64), format: Self.format, pool: pool)
        #expect(try even.factors() == nil)
        let silent = ColumnBalance(
            weights: weights, importance: [Float](repeating: 0, count: 64), format: Self.format, pool: pool)
        #expect(try silent.factors() == nil)
    }

    @Test func columnsThatShareAFactorGetTheSame() throws {
        let (weights, importance) = Self.uneven(seed: 94)
        let places = (0..<128).map { $0 / 64 * 32 + $0 % 32 }
        let factors = try #require(
            try ColumnBalance(
                weights: weights, importance: importance, places: places, format: Self.format, pool: pool
            ).factors())
        #expect(factors.count == 64 && factors.allSatisfy { $0 > 0 && $0.isFinite })
    }
}
