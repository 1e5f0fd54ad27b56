import Compute
import IntegerRuntime
import ModelFiles
import Quantization
import Reference
import Testing

@Suite("Integer-only execution")
struct IntegerOnlyTests {
    static let u8 = GridFormat(.uniform, bits: 8, .group(32))
    static let formats: [(GridFormat, Activation)] = [
        (u8, .int8g32), (u8, .int8), (GridFormat(.uniform, bits: 8, .channel), .int8),
        (GridFormat(.uniform, bits: 8, .tensor), .int8g32), (GridFormat(.affine, bits: 5, .group(64)), .int8),
        (GridFormat(.uniform, bits: 4, .group(64)), .int8g32), (GridFormat(.codebook, bits: 4, .channel), .int8),
        (GridFormat(.log2, bits: 4, .group(32)), .int8g32), (GridFormat(.uniform, bits: 6, .channel), .int8g32),
        (GridFormat(.affine, bits: 3, .group(32)), .int8), (GridFormat(.twoPowers, bits: 5, .channel), .int8),
        (GridFormat(.twoPowers, bits: 6, .group(32)), .int8g32),
    ]

    private static func model(
        _ weights: RuntimeWeights, set: InstructionSet = .best, threads: Int = 1, context: Int = 128, chunk: Int = 24
    ) throws -> IntegerModel {
        try IntegerModel(
            configuration: try Bard.model().configuration, weights: weights, kv: .int8, context: context,
            prefillChunk: chunk, mode: .integerOnly, pool: ThreadPool(threads: threads, instructionSet: set))
    }

    @Test("8 bits in groups of 32 stay as near to the float reference as with float norms, attention and gates")
    func nearTheReference() throws {
        let tokens = try Bard.tokens(100)
        let weights = try Bard.weights(Self.u8, .int8g32)
        let dynamic = try Bard.divergence(of: Bard.logits(try Bard.integer(weights, kv: .int8), tokens), tokens: tokens)
        let integer = try Bard.divergence(of: Bard.logits(try Self.model(weights), tokens), tokens: tokens)
        // Input scales that are powers of two apart double the inputs' rounding error, and with it at most the divergence.
        #expect(integer < 2 * dynamic + 1e-4)
        #expect(integer > 1e-7)
    }

    @Test("every grid and input agrees with the same weights in dynamic execution", arguments: formats)
    func nearDynamic(format: GridFormat, activation: Activation) throws {
        let tokens = try Bard.tokens(60)
        let weights = try Bard.weights(format, activation)
        let pool = ThreadPool(threads: 2)
        let rows = try pool.compareLogits(
            reference: Bard.logits(try Bard.integer(weights, kv: .int8), tokens),
            candidate: Bard.logits(try Self.model(weights), tokens), targets: tokens)
        // The weights' own error, hundredths to tenths of a nat below 8 bits, is in both; inputs are rounded apart.
        #expect(rows.reduce(0) { $0 + $1.divergence } / Double(rows.count) < 0.004)
    }

    @Test("same bits on every instruction set and with one and two threads", arguments: formats)
    func sameBitsEverywhere(format: GridFormat, activation: Activation) throws {
        let tokens = try Bard.tokens(30)
        let weights = try Bard.weights(format, activation)
        let all = try InstructionSet.allCases.filter(\.isSupported).flatMap { set in
            try [1, 2].map { try Bard.logits(try Self.model(weights, set: set, threads: $0), tokens) }
        }
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test("prefill in chunks of any size and decoding token by token give the same bits")
    func prefillEqualsDecode() throws {
        let tokens = try Bard.tokens(40)
        let weights = try Bard.weights(GridFormat(.uniform, bits: 4, .group(32)), .int8g32)
        let whole = try Bard.logits(try Self.model(weights, chunk: 64), tokens)
        #expect(try Bard.logits(try Self.model(weights, chunk: 7), tokens) == whole)
        let model = try Self.model(weights, threads: 2)
        let cache = try model.makeCache()
        for (index, token) in tokens.enumerated() {
            let row = try model.forward(tokens: [token], cache: cache, logits: .last)
            #expect(row.values == Array(whole[row: index]))
        }
    }

    @Test("logits of some tokens are those of all of them")
    func someLogits() throws {
        let tokens = try Bard.tokens(40)
        let weights = try Bard.weights(Self.u8, .int8g32)
        let whole = try Bard.logits(try Self.model(weights), tokens)
        let model = try Self.model(weights, threads: 2)
        let some = try model.forward(tokens: tokens, cache: try model.makeCache(), logits: .rows(10..<29))
        #expect(some.rows == 19)
        for row in 0..<19 { #expect(Array(some[row: row]) == Array(whole[row: 10 + row])) }
    }

    @Test("inputs of one layer may be quantized in different ways")
    func mixedActivations() throws {
        let tokens = try Bard.tokens(20)
        var weights = try Bard.weights(Self.u8, .int8g32)
        let perToken = try Bard.weights(GridFormat(.uniform, bits: 8, .channel), .int8)
        for layer in 0..<4 {
            for part in [TensorName.Part.key, .up] {
                weights.matrices[TensorName.layer(layer, part)] = perToken.matrices[TensorName.layer(layer, part)]
            }
        }
        let logits = try Bard.logits(try Self.model(weights), tokens)
        #expect(try Bard.logits(try Self.model(weights, threads: 2, chunk: 9), tokens) == logits)
        #expect(try Bard.divergence(of: logits, tokens: tokens) < 0.006)
    }

    @Test("what needs floats is refused")
    func refusals() throws {
        func refused(_ weights: RuntimeWeights, kv: KVFormat) -> Bool {
            do {
                _ = try IntegerModel(
                    configuration: try Bard.model().configuration, weights: weights, kv: kv, context: 32,
                    mode: .integerOnly, pool: ThreadPool(threads: 1))
                return false
            } catch let error as RuntimeError {
                return error.code == .unsupported
            } catch {
                return false
            }
        }
        let weights = try Bard.weights(Self.u8, .int8g32)
        #expect(!refused(weights, kv: .int8))
        #expect(refused(weights, kv: .float16))
        #expect(refused(try Bard.weights(nil, .float), kv: .int8))
        #expect(refused(try Bard.weights(Self.u8, .float), kv: .int8))
    }
}
