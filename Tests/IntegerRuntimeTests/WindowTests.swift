import Compute
import IntegerRuntime
import ModelFiles
import Quantization
import Reference
import Testing

/// A sliding window: each token sees the last few positions only.
struct WindowTests {
    private static let window = 20

    private static func configuration(window: Int?) throws -> ModelConfiguration {
        var configuration = try Bard.model().configuration
        configuration.window = window
        return configuration
    }

    private static func integer(
        _ weights: RuntimeWeights, kv: KVFormat, mode: ExecutionMode = .dynamic, chunk: Int = 24, threads: Int = 1
    ) throws -> IntegerModel {
        try IntegerModel(
            configuration: try configuration(window: window), weights: weights, kv: kv, context: 128,
            prefillChunk: chunk, mode: mode, pool: ThreadPool(threads: threads))
    }

    /// Mean KL divergence from the reference with `window`.
    private static func divergence(of logits: Matrix, tokens: [Int32], window: Int?) throws -> Double {
        let (model, pool) = (try Bard.model(), ThreadPool(threads: 2))
        let reference = try ReferenceModel(configuration: try configuration(window: window), pool: pool) {
            try model.tensor($0).matrix()
        }
        let exact = try reference.logits(tokens: tokens, rows: 0..<tokens.count)
        let rows = try pool.compareLogits(reference: exact, candidate: logits, targets: tokens)
        return rows.reduce(0) { $0 + $1.divergence } / Double(rows.count)
    }

    @Test(arguments: [
        (GridFormat?.none, Activation.float, KVFormat.float16, ExecutionMode.dynamic, 1e-6),
        (ModelTests.u8, .int8g32, .int8, .dynamic, 0.003), (ModelTests.u8, .int8g32, .int4, .dynamic, 0.01),
        (ModelTests.u8, .int8g32, .int8, .integerOnly, 0.006),
    ])
    func isTheReferences(
        format: GridFormat?, activation: Activation, kv: KVFormat, mode: ExecutionMode, bound: Double
    ) throws {
        let tokens = try Bard.tokens(100)
        let model = try Self.integer(try Bard.weights(format, activation), kv: kv, mode: mode)
        let logits = try Bard.logits(model, tokens)
        #expect(try Self.divergence(of: logits, tokens: tokens, window: Self.window) < bound)
        #expect(try Self.divergence(of: logits, tokens: tokens, window: nil) > 2 * bound)
    }

    @Test(arguments: [
        (KVFormat.float16, ExecutionMode.dynamic), (.int8, .dynamic), (.int4, .dynamic), (.int8, .integerOnly),
    ])
    func prefillEqualsDecode(kv: KVFormat, mode: ExecutionMode) throws {
        let tokens = try Bard.tokens(60)
        let weights = try Bard.weights(GridFormat(.uniform, bits: 4, .group(32)), .int8g32)
        let whole = try Bard.logits(try Self.integer(weights, kv: kv, mode: mode, chunk: 64), tokens)
        #expect(try Bard.logits(try Self.integer(weights, kv: kv, mode: mode, chunk: 7, threads: 2), tokens) == whole)
        let model = try Self.integer(weights, kv: kv, mode: mode, threads: 2)
        let cache = try model.makeCache()
        for (index, token) in tokens.enumerated() {
            let row = try model.forward(tokens: [token], cache: cache, logits: .last)
            #expect(row.values == Array(whole[row: index]), "token \(index)")
        }
    }

    /// Text that a model writes itself takes the reference's other way through attention, a token at a time.
    @Test func theReferenceDecodesAsItRuns() throws {
        let (model, pool) = (try Bard.model(), ThreadPool(threads: 2))
        let reference = try ReferenceModel(configuration: try Self.configuration(window: Self.window), pool: pool) {
            try model.tensor($0).matrix()
        }
        let tokens = try Bard.tokens(50)
        var decoder = try ReferenceDecoder(model: reference, sequences: 1, capacity: 64)
        let whole = try reference.logits(tokens: tokens, rows: 0..<tokens.count)
        for (index, token) in tokens.enumerated() {
            let row = try decoder.step(tokens: [token])
            let difference = zip(row.values, whole[row: index]).map { abs($0 - $1) }.max() ?? 0
            #expect(difference < 1e-4, "token \(index)")  // logits of size 10 in float32, sums in another order
        }
    }
}
