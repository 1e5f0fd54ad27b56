import Compute
import Quantization
import Testing

/// Weights behind layers that are quantized already: against the regression in double, and at work in a chain of two matrices.
@Suite struct OutputCorrectionTests {
    private static let pool = ThreadPool(threads: 2)
    private static let damping = 0.01

    /// Half of the way from the weights to the solution of the damped normal equations, which elimination finds in double.
    @Test func isHalfOfTheDampedRegression() {
        let (positions, columns, rows) = (120, 24, 10)
        let weights = Matrix.random(rows: rows, columns: columns, seed: 91)
        let source = Matrix.random(rows: positions, columns: columns, seed: 92)
        let noise = Matrix.random(rows: positions, columns: columns, seed: 93)
        var inputs = source
        for index in inputs.values.indices { inputs.values[index] += 0.3 * noise.values[index] }
        let factor = factor(of: inputs)
        let outputs = Self.pool.product(source, weights, .transposedRight)
        let towardsInputs = OutputCorrection(inputs: inputs, source: source, factor: factor, pool: Self.pool)
            .corrected(weights)
        let towardsOutputs = OutputCorrection(inputs: inputs, outputs: outputs, factor: factor, pool: Self.pool)
            .corrected(weights)

        func moment(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
            (0..<positions).reduce(0.0) {
                $0 + Double(a.values[$1 * a.columns + i]) * Double(b.values[$1 * b.columns + j])
            }
        }
        let mean = (0..<columns).reduce(0.0) { $0 + moment(inputs, $1, inputs, $1) } / Double(columns)
        let added = Self.damping * mean
        let moments = (0..<columns).map { i in
            (0..<columns).map { moment(inputs, i, inputs, $0) + (i == $0 ? added : 0) }
        }
        for row in 0..<rows {
            let right = (0..<columns).map {
                moment(outputs, row, inputs, $0) + added * Double(weights.values[row * columns + $0])
            }
            let solution = Self.solve(moments, right)
            for column in 0..<columns {
                let index = row * columns + column
                let wanted = 0.5 * (solution[column] + Double(weights.values[index]))
                #expect(abs(Double(towardsInputs.values[index]) - wanted) < 1e-5)
                #expect(abs(Double(towardsOutputs.values[index]) - wanted) < 1e-5)
            }
        }
    }

    /// Inputs as the source has them leave weights as they are.
    @Test func rightInputsChangeNothing() {
        let weights = Matrix.random(rows: 10, columns: 32, seed: 94)
        let inputs = Matrix.random(rows: 200, columns: 32, seed: 95)
        let factor = factor(of: inputs)
        let same = OutputCorrection(inputs: inputs, source: inputs, factor: factor, pool: Self.pool)
        #expect(same.corrected(weights) == weights)
        let outputs = Self.pool.product(inputs, weights, .transposedRight)
        let corrected = OutputCorrection(inputs: inputs, outputs: outputs, factor: factor, pool: Self.pool)
            .corrected(weights)
        for (old, new) in zip(weights.values, corrected.values) { #expect(abs(old - new) < 1e-6) }
    }

    /// What the first matrix of a chain loses in 3 bits the second one makes up for, on inputs that neither has seen. Half of the
    /// way leaves a quarter of what a regression can reach.
    @Test func theSecondMatrixMakesUpForTheFirst() throws {
        let first = Matrix.random(rows: 64, columns: 64, seed: 96)
        let second = Matrix.random(rows: 32, columns: 64, seed: 97)
        let seen = Matrix.random(rows: 2048, columns: 64, seed: 98)
        let unseen = Matrix.random(rows: 512, columns: 64, seed: 99)
        let format = try GridQuantizer.grid("u8g32")
        let coarse = try GridQuantizer.quantize(
            first, as: try GridQuantizer.grid("u3g32"), clip: true, pool: Self.pool
        ).dequantized()
        func middle(_ inputs: Matrix, _ weights: Matrix) -> Matrix {
            Self.pool.product(inputs, weights, .transposedRight)
        }
        let inputs = middle(seen, coarse)
        let factor = factor(of: inputs)
        let compensation = ErrorCompensation(factor: factor, pool: Self.pool)
        let corrected = OutputCorrection(inputs: inputs, source: middle(seen, first), factor: factor, pool: Self.pool)
            .corrected(second)
        let wanted = middle(middle(unseen, first), second)
        func error(_ weights: Matrix) throws -> Double {
            let own = try compensation.quantize(weights, as: format).dequantized()
            return wanted.minus(middle(middle(unseen, coarse), own)).values
                .reduce(0) { $0 + Double($1) * Double($1) }
        }
        #expect(try error(corrected) < 0.35 * error(second))
    }

    private func factor(of inputs: Matrix) -> InverseFactor {
        InverseFactor(moments: Self.pool.gram(inputs), damping: Float(Self.damping), pool: Self.pool)
    }

    /// The solution of a positive definite system by elimination.
    private static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var rows = zip(matrix, right).map { $0 + [$1] }
        for pivot in rows.indices {
            for row in rows.indices where row != pivot {
                let ratio = rows[row][pivot] / rows[pivot][pivot]
                for column in pivot..<rows[row].count { rows[row][column] -= ratio * rows[pivot][column] }
            }
        }
        return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
    }
}
