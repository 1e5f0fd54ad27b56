import Compute
import IntegerRuntime
import Quantization
import Testing

@Suite("Products of packed weights and quantized activations")
struct ProductTests {
    static let pools = InstructionSet.allCases.filter(\.isSupported).flatMap { set in
        [1, 2].map { ThreadPool(threads: $0, instructionSet: set) }
    }

    /// Bit for bit: the order of operations is part of the contract.
    private func expectExact(
        _ matrix: QuantizedMatrix, _ activation: Activation, _ inputs: Matrix, _ comment: Comment
    ) throws {
        let product = try RuntimeMatrix(packed: PackedMatrix(packing: matrix), activation: activation)
        let expected = ProductOracle(matrix: matrix, activation: activation).multiply(inputs)
        for pool in Self.pools {
            let found = try product.multiply(inputs, pool: pool)
            #expect(found == expected, "\(comment), \(pool.instructionSet), \(pool.threads) threads")
        }
    }

    @Test("every width of code and kind of scale and offset equals plain Swift, bit for bit", arguments: 2...8)
    func everyKind(bits: Int) throws {
        var source = RandomMatrices(seed: UInt64(bits))
        for kind in RandomMatrices.Kind.allCases {
            for _ in 0..<4 {
                let columns = source.element([32, 64, 256, 576])
                let groups = [32, 64, columns].filter { columns.isMultiple(of: $0) }
                let group = kind == .tensorScale ? columns : source.element(groups)
                let activations: [Activation] = [.int8, .int8g32, .q8_0, .int16]
                let matrix = source.matrix(
                    rows: Int.random(in: 1...33, using: &source.random), columns: columns, bits: bits, group: group,
                    kind: kind)
                let tokens = source.element([1, 2, 3, 4, 5, 12, 13, 33])
                try expectExact(
                    matrix, source.element(activations), source.inputs(rows: tokens, columns: columns),
                    "\(bits) bits, \(kind), group \(group) of \(columns), \(tokens) tokens")
            }
        }
    }

    @Test("groups of 16 under q8_K: llama.cpp's K types", arguments: [2, 3, 4, 5, 6, 8])
    func halfTiles(bits: Int) throws {
        var source = RandomMatrices(seed: 100 + UInt64(bits))
        for kind in [RandomMatrices.Kind.minimums, .floatScales] {
            for tokens in [1, 7] {
                let matrix = source.matrix(rows: 17, columns: 512, bits: bits, group: 16, kind: kind)
                try expectExact(
                    matrix, .q8_k, source.inputs(rows: tokens, columns: 512), "\(bits) bits, \(kind), \(tokens) tokens")
            }
        }
    }

    @Test("4,096 columns of extremes in one sum do not overflow")
    func longRows() throws {
        var source = RandomMatrices(seed: 7)
        for kind in [RandomMatrices.Kind.uniform, .zeroPoints, .codebook] {
            var matrix = source.matrix(rows: 16, columns: 4096, bits: 8, group: 4096, kind: kind)
            matrix.codes = matrix.codes.map { _ in 255 }
            let inputs = Matrix(rows: 2, columns: 4096, values: [Float](repeating: -1, count: 2 * 4096))
            try expectExact(matrix, .int8, inputs, "\(kind)")
            try expectExact(matrix, .int16, inputs, "\(kind), int16")
        }
    }

    @Test(
        "one token gives the bits that it gives among many", arguments: [1, 2], [Activation.int8g32, .int16, .float])
    func tokensAreIndependent(threads: Int, activation: Activation) throws {
        var source = RandomMatrices(seed: 11)
        let matrix = source.matrix(rows: 40, columns: 576, bits: 4, group: 32, kind: .uniform)
        let inputs = source.inputs(rows: 29, columns: 576)
        let pool = ThreadPool(threads: threads)
        let product = try RuntimeMatrix(packed: PackedMatrix(packing: matrix), activation: activation)
        let together = try product.multiply(inputs, pool: pool)
        for token in 0..<inputs.rows {
            let alone = try product.multiply(
                Matrix(rows: 1, columns: 576, values: Array(inputs[row: token])), pool: pool)
            #expect(alone.values == Array(together[row: token]))
        }
    }

    /// Weights times float inputs in the written order: a sum for each column of four, added in pairs.
    private func floatProduct(_ weights: Matrix, _ inputs: Matrix) -> Matrix {
        var result = Matrix(rows: inputs.rows, columns: weights.rows)
        for token in 0..<inputs.rows {
            for row in 0..<weights.rows {
                var sums: [Float] = [0, 0, 0, 0]
                for column in 0..<weights.columns {
                    sums[column % 4].addProduct(
                        weights.values[row * weights.columns + column], inputs.values[token * weights.columns + column])
                }
                result.values[token * weights.rows + row] = (sums[0] + sums[1]) + (sums[2] + sums[3])
            }
        }
        return result
    }

    @Test("half-precision weights: the written order of four sums, on every instruction set")
    func halfWeights() throws {
        var source = RandomMatrices(seed: 13)
        for (rows, columns, tokens) in [(1, 32, 1), (17, 96, 5), (33, 576, 9), (16, 64, 4)] {
            var weights = Matrix(
                rows: rows, columns: columns, values: (0..<rows * columns).map { _ in source.number(-1...1) })
            let product = try RuntimeMatrix(packed: PackedMatrix(float16: weights), activation: .float)
            weights.values = weights.values.map { Float(Float16($0)) }
            let inputs = source.inputs(rows: tokens, columns: columns)
            let expected = floatProduct(weights, inputs)
            for pool in Self.pools { #expect(try product.multiply(inputs, pool: pool) == expected) }
        }
    }

    @Test("weight-only quantization: decoded weights times float inputs", arguments: 2...8)
    func weightOnly(bits: Int) throws {
        var source = RandomMatrices(seed: 200 + UInt64(bits))
        for kind in RandomMatrices.Kind.allCases {
            let columns = source.element([64, 576])
            let group = kind == .tensorScale ? columns : source.element([16, 32, columns])
            let matrix = source.matrix(rows: 20, columns: columns, bits: bits, group: group, kind: kind)
            let inputs = source.inputs(rows: source.element([1, 6]), columns: columns)
            let product = try RuntimeMatrix(packed: PackedMatrix(packing: matrix), activation: .float)
            let expected = floatProduct(matrix.dequantized(), inputs)
            for pool in Self.pools { #expect(try product.multiply(inputs, pool: pool) == expected, "\(kind)") }
        }
    }

    @Test("16 bits of input come within 16 bits of the float product, which 8 do not")
    func int16IsNearFloat() throws {
        var source = RandomMatrices(seed: 23)
        let matrix = source.matrix(rows: 48, columns: 576, bits: 8, group: 32, kind: .uniform)
        let inputs = source.inputs(rows: 9, columns: 576)
        let pool = ThreadPool(threads: 1)
        func product(_ activation: Activation) throws -> Matrix {
            try RuntimeMatrix(packed: PackedMatrix(packing: matrix), activation: activation).multiply(
                inputs, pool: pool)
        }
        let exact = try product(.float)
        func error(_ activation: Activation) throws -> Float {
            zip(try product(activation).values, exact.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                .squareRoot()
        }
        // Steps are 256 times as fine, 32512 instead of 127 to the largest; half of that leaves room for float32 sums.
        #expect(try error(.int16) < error(.int8) / 128)
    }

    @Test("pairs without a kernel and sums that could overflow are refused when a matrix is made")
    func refusals() throws {
        var source = RandomMatrices(seed: 17)
        func code(_ columns: Int, group: Int, _ activation: Activation) throws -> RuntimeError.Code? {
            let matrix = source.matrix(rows: 1, columns: columns, bits: 8, group: group, kind: .uniform)
            let packed = try PackedMatrix(packing: matrix)
            do {
                _ = try RuntimeMatrix(packed: packed, activation: activation)
                return nil
            } catch {
                return error.code
            }
        }
        // 255 * 127 * 66,304 is the last multiple of 32 below 2^31.
        #expect(try code(66_304, group: 66_304, .int8) == nil)
        #expect(try code(66_336, group: 66_336, .int8) == .unsupported)
        #expect(try code(66_336, group: 66_336, .int8g32) == nil)
        #expect(try code(96, group: 96, .int8g64) == .unsupported)
        #expect(try code(96, group: 48, .int8g32) == .unsupported)
        #expect(try code(64, group: 32, .static) == .unsupported)
        #expect(try code(64, group: 32, .q8_k) == .unsupported)
    }
}
