import Compute
import IntegerRuntime
import ModelFiles
import Quantization
import Testing

@Suite("Inputs with a frozen scale")
struct StaticInputTests {
    static let u8 = GridFormat(.uniform, bits: 8, .channel)

    private func matrix(_ frozenScale: Float?, _ activation: Activation) throws -> RuntimeMatrix {
        var source = RandomMatrices(seed: 2)
        let weights = Matrix(rows: 48, columns: 64, values: (0..<48 * 64).map { _ in source.number(-1...1) })
        let pool = ThreadPool(threads: 1)
        let packed = try PackedMatrix(
            packing: GridQuantizer.quantize(weights, as: Self.u8, clip: false, pool: pool), pool: pool)
        return try RuntimeMatrix(packed: packed, activation: activation, frozenScale: frozenScale)
    }

    @Test("a row whose largest number is 127 steps is quantized as with a scale of its own; beyond that it is cut off")
    func equalsPerTokenAtTheRange() throws {
        // 127 * 2^-5 and its parts are exact, and so are both scales.
        let range: Float = 127 / 32
        var source = RandomMatrices(seed: 4)
        var inputs = Matrix(rows: 3, columns: 64, values: (0..<192).map { _ in source.number(-3...3) })
        for row in 0..<3 { inputs.values[row * 64 + 9 * row] = range }
        var beyond = inputs
        beyond.values[64 + 9] = 40
        beyond.values[128 + 18] = .infinity
        for set in InstructionSet.allCases where set.isSupported {
            let pool = ThreadPool(threads: 1, instructionSet: set)
            let dynamic = try matrix(nil, .int8).multiply(inputs, pool: pool)
            #expect(try matrix(1.0 / 32, .static).multiply(inputs, pool: pool) == dynamic)
            #expect(try matrix(1.0 / 32, .static).multiply(beyond, pool: pool) == dynamic)
        }
    }

    @Test("the first token of each sequence keeps a scale of its own")
    func firstTokens() throws {
        var source = RandomMatrices(seed: 6)
        let inputs = Matrix(rows: 6, columns: 64, values: (0..<384).map { _ in source.number(-500...500) })
        let pool = ThreadPool(threads: 2)
        let dynamic = try matrix(nil, .int8).multiply(inputs, pool: pool)
        let frozen = try matrix(0.01, .static).multiply(inputs, position: 0, sequence: 3, pool: pool)
        for row in 0..<6 {
            let isEqual = Array(frozen[row: row]) == Array(dynamic[row: row])
            #expect(isEqual == row.isMultiple(of: 3), "row \(row)")
        }
    }

    @Test("a scale that is missing, none or endless is refused", arguments: [nil, 0, -1, .nan, .infinity] as [Float?])
    func refusals(scale: Float?) {
        #expect(throws: RuntimeError.self) { try matrix(scale, .static) }
    }

    @Test("prefill in chunks and decoding give the same bits, on every instruction set and number of threads")
    func prefillEqualsDecode() throws {
        let tokens = try Bard.tokens(30)
        let weights = try Bard.weights(Self.u8, .static, frozenScale: 0.05)
        let whole = try Bard.logits(try Bard.integer(weights, kv: .int8, chunk: 64), tokens)
        for set in InstructionSet.allCases where set.isSupported {
            let model = try Bard.integer(weights, kv: .int8, set: set, threads: 2, chunk: 7)
            #expect(try Bard.logits(model, tokens) == whole)
        }
        for threads in 1...3 {
            let model = try Bard.integer(weights, kv: .int8, threads: threads)
            let cache = try model.makeCache()
            for (index, token) in tokens.enumerated() {
                let row = try model.forward(tokens: [token], cache: cache, logits: .last)
                #expect(row.values == Array(whole[row: index]), "token \(index), \(threads) threads")
            }
        }
    }
}
