import Compute
import Quantization
import Testing

/// Refinement `gptq`: the factor against its definition, and rounding against plain rounding.
@Suite struct ErrorCompensationTests {
    @Test(arguments: [1, 16, 63, 64, 65, 200]) func theFactorIsThatOfTheInverse(count: Int) {
        let pool = ThreadPool(threads: 2)
        let inputs = Self.inputs(rows: 3 * count + 5, columns: count, seed: 71)
        let moments = pool.product(inputs, inputs, .transposedLeft)
        let upper = InverseFactor(moments: moments, damping: 0.01, pool: pool).upper
        let mean = (0..<count).reduce(0.0) { $0 + Double(moments.values[$1 * count + $1]) } / Double(count)
        // Uᵀ U (H + damping) is the identity. Pivots span a few hundred, so that float32 leaves about 1e-4.
        for row in 0..<count {
            for column in 0..<row { #expect(upper.values[row * count + column] == 0) }
            var product = [Double](repeating: 0, count: count)
            for middle in 0..<count {
                let left = (0...min(row, middle)).reduce(0.0) {
                    $0 + Double(upper.values[$1 * count + row]) * Double(upper.values[$1 * count + middle])
                }
                for column in 0..<count {
                    let damped = Double(moments.values[middle * count + column]) + (middle == column ? 0.01 * mean : 0)
                    product[column] += left * damped
                }
            }
            for column in 0..<count { #expect(abs(product[column] - (row == column ? 1 : 0)) < 2e-3) }
        }
    }

    @Test func momentsThatHaveNoInverseAreDampedUntilTheyHave() {
        let pool = ThreadPool(threads: 1)
        let single = Self.inputs(rows: 1, columns: 96, seed: 72)
        let factor = InverseFactor(moments: pool.product(single, single, .transposedLeft), damping: 1e-9, pool: pool)
        #expect(factor.importance.allSatisfy { $0 > 0 && $0.isFinite })
        let none = InverseFactor(moments: Matrix(rows: 40, columns: 40), damping: 0.01, pool: pool)
        #expect(none.importance.allSatisfy { $0 == 1 })
    }

    /// On inputs that are correlated, and that the factor has not seen, outputs come clearly nearer than with plain rounding of
    /// the same format.
    @Test(arguments: [
        "u4g32", "a4g32", "a3g64", "k4g32", "k3g64", "k4c", "k5ce36", "l4g64", "p4g64", "p5c", "u4c", "u3t", "q4_0",
        "q4_1", "q5_0", "iq4_nl", "q4_k", "q5_k", "q6_k", "q3_k", "q2_k",
    ])
    func outputsComeNearer(name: String) throws {
        let pool = ThreadPool(threads: 2)
        let format = try Format(parsing: name)
        let weights = Matrix.random(rows: 40, columns: 256, .heavyTailed, seed: 73)
        let seen = Self.inputs(rows: 2048, columns: 256, seed: 74)
        let unseen = Self.inputs(rows: 512, columns: 256, seed: 75)
        let moments = pool.product(seen, seen, .transposedLeft)
        let importance = (0..<256).map { moments.values[$0 * 256 + $0] / 2048 }
        let compensation = ErrorCompensation(
            factor: InverseFactor(moments: moments, damping: 0.01, pool: pool), pool: pool)
        let plain: Matrix
        let compensated: Matrix
        switch format {
        case .float16: return
        case .grid(let grid):
            plain = try GridQuantizer.quantize(weights, as: grid, importance: importance, clip: true, pool: pool)
                .dequantized()
            let result = try compensation.quantize(weights, as: grid)
            try result.validate()
            compensated = result.dequantized()
        case .block(let block):
            plain = try BlockQuantizer.quantize(weights, as: block, importance: importance, pool: pool).dequantized()
            compensated = try compensation.quantize(weights, as: block).dequantized()
        }
        func error(_ matrix: Matrix) -> Double {
            var difference = matrix
            for index in difference.values.indices { difference.values[index] -= weights.values[index] }
            return pool.product(unseen, difference, .transposedRight).values.reduce(0) { $0 + Double($1) * Double($1) }
        }
        #expect(error(compensated) < 0.8 * error(plain), "\(name): \(error(compensated)) and \(error(plain))")
    }

    /// A row whose output errs far more than the others', and that one large input rules, finds a scale that suits that input: it errs
    /// less than the same row does where it is as small as the others. Steps of uniform grids come near the weight of that input anyway.
    @Test(arguments: ["k4c", "k5ce36"]) func aMassiveActivationKeepsItsSize(name: String) throws {
        let pool = ThreadPool(threads: 2)
        let format = try GridQuantizer.grid(name)
        var (sum, small) = (0.0, 0.0)
        for seed in UInt64(83)..<91 {
            let weights = Matrix.random(rows: 64, columns: 256, .heavyTailed, seed: seed)
            var inputs = Self.inputs(rows: 512, columns: 256, seed: seed)
            for row in stride(from: 0, to: 512, by: 64) { inputs.values[row * 256 + 100] += 3000 }
            let compensation = ErrorCompensation(
                factor: InverseFactor(
                    moments: pool.product(inputs, inputs, .transposedLeft), damping: 0.01, pool: pool), pool: pool)
            /// The error of row 20 where it is `size` times as large.
            func error(size: Float) throws -> Double {
                var weights = weights
                for column in 0..<256 { weights.values[20 * 256 + column] *= size }
                let quantized = try compensation.quantize(weights, as: format)
                let errors = pool.product(inputs, weights.minus(quantized.dequantized()), .transposedRight)
                return (0..<512).reduce(0) {
                    $0 + Double(errors.values[$1 * 64 + 20]) * Double(errors.values[$1 * 64 + 20])
                }
            }
            sum += try error(size: 32)
            small += try 1024 * error(size: 1)
        }
        #expect(sum < 0.5 * small, "\(sum) and \(small)")
    }

    /// The indices take the room that their rate gives them and no more, whatever it is: also the least there is.
    @Test(arguments: ["k5ce36", "k5te36", "k4ce20", "k3ce12"]) func codedIndicesFitTheirBytes(name: String) throws {
        let pool = ThreadPool(threads: 2)
        let format = try Format(parsing: name)
        let weights = Matrix.random(rows: 96, columns: 512, .heavyTailed, seed: 81)
        let inputs = Self.inputs(rows: 1024, columns: 512, seed: 82)
        let factor = InverseFactor(
            moments: pool.product(inputs, inputs, .transposedLeft), damping: 0.01, pool: pool)
        let result = try ErrorCompensation(factor: factor, pool: pool).quantize(weights, as: GridQuantizer.grid(name))
        let coded = try PackedMatrix(packing: result, pool: pool).coded()
        #expect(coded.count == format.storedBytes(rows: 96, columns: 512))
    }

    /// Brute force over every single move of every code, in double: next to none would bring the outputs nearer.
    @Test(arguments: ["u3g32", "a4g32", "k3g32"]) func noCodeAloneIsBetterElsewhere(name: String) throws {
        let pool = ThreadPool(threads: 2)
        let weights = Matrix.random(rows: 20, columns: 96, .heavyTailed, seed: 79)
        let inputs = Self.inputs(rows: 512, columns: 96, seed: 80)
        var moments = pool.product(inputs, inputs, .transposedLeft)
        let compensation = ErrorCompensation(
            factor: InverseFactor(moments: moments, damping: 0.01, pool: pool), pool: pool)
        let mean = (0..<96).reduce(0.0) { $0 + Double(moments.values[$1 * 97]) } / 96
        for column in 0..<96 { moments.values[column * 97] += Float(0.01 * mean) }
        let result = try compensation.quantize(weights, as: GridQuantizer.grid(name))
        let points = (0..<1 << result.bits).map { code in
            var one = result
            one.codes = [UInt8](repeating: UInt8(code), count: one.codes.count)
            return one.dequantized()
        }
        let own = result.dequantized()
        var better = 0
        for row in 0..<20 {
            let residuals = (0..<96).map { Double(weights.values[row * 96 + $0]) - Double(own.values[row * 96 + $0]) }
            for column in 0..<96 {
                let gradient = (0..<96).reduce(0.0) { $0 + residuals[$1] * Double(moments.values[column * 96 + $1]) }
                let curvature = Double(moments.values[column * 97])
                let gain =
                    points.map { point in
                        let move = Double(point.values[row * 96 + column]) - Double(own.values[row * 96 + column])
                        return 2 * move * gradient - move * move * curvature
                    }.max() ?? 0
                // Less is the noise of float32 sums.
                if gain > 1e-5 * curvature { better += 1 }
            }
        }
        #expect(better < 20 * 96 / 50, "\(better) of \(20 * 96)")
    }

    /// Where inputs are uncorrelated there is nothing to pass on: the fit of single groups is the whole matter, and no scale
    /// beside it is better by more than the last place of half precision.
    @Test(arguments: ["u4g32", "a3g64", "q4_0", "q5_1", "iq4_nl", "q4_k"])
    func uncorrelatedInputsChangeNextToNothing(name: String) throws {
        let pool = ThreadPool(threads: 2)
        let weights = Matrix.random(rows: 20, columns: 256, seed: 76)
        let identity = Matrix(rows: 256, columns: 256, values: (0..<65536).map { $0 / 256 == $0 % 256 ? 1 : 0 })
        let compensation = ErrorCompensation(
            factor: InverseFactor(moments: identity, damping: 0, pool: pool), pool: pool)
        let plain: QuantizedMatrix
        let compensated: QuantizedMatrix
        switch try Format(parsing: name) {
        case .float16: return
        case .grid(let grid):
            plain = try GridQuantizer.quantize(weights, as: grid, clip: true, pool: pool)
            compensated = try compensation.quantize(weights, as: grid)
        case .block(let block):
            plain = try BlockQuantizer.quantize(weights, as: block, pool: pool).decomposed(pool: pool)
            compensated = try compensation.quantize(weights, as: block).decomposed(pool: pool)
        }
        let ratio = compensated.error(of: weights) / plain.error(of: weights)
        #expect(ratio <= 1 + 1e-6 && ratio > 0.995, "\(ratio)")
    }

    @Test(arguments: ["u4g32", "a4g32", "k3g64", "k4c", "k5ce36", "q4_1", "q3_k"])
    func theSameBitsOnAnyInstructionSetAndThreadCount(name: String) throws {
        let weights = Matrix.random(rows: 37, columns: 256, .heavyTailed, seed: 77)
        let inputs = Self.inputs(rows: 600, columns: 256, seed: 78)
        var results: [Matrix] = []
        for threads in [1, 2] {
            for set in InstructionSet.allCases where set.isSupported {
                let pool = ThreadPool(threads: threads, instructionSet: set)
                let compensation = ErrorCompensation(
                    factor: InverseFactor(
                        moments: pool.product(inputs, inputs, .transposedLeft), damping: 0.01, pool: pool), pool: pool)
                switch try Format(parsing: name) {
                case .float16: break
                case .grid(let grid): results.append(try compensation.quantize(weights, as: grid).dequantized())
                case .block(let block): results.append(try compensation.quantize(weights, as: block).dequantized())
                }
            }
        }
        for result in results { #expect(result == results[0]) }
    }

    /// Inputs that lie mostly in a few directions, as a language model's do.
    private static func inputs(rows: Int, columns: Int, seed: UInt64) -> Matrix {
        var mixing = SeededGenerator(seed: 70)
        let directions = max(1, columns / 8)
        let mix = Matrix(
            rows: directions, columns: columns,
            values: (0..<directions * columns).map { _ in Float(mixing.normal()) })
        var generator = SeededGenerator(seed: seed)
        let strengths = Matrix(
            rows: rows, columns: directions, values: (0..<rows * directions).map { _ in Float(generator.normal()) })
        var result = ThreadPool(threads: 1).product(strengths, mix, .plain)
        for index in result.values.indices { result.values[index] += Float(0.7 * generator.normal()) }
        return result
    }
}
