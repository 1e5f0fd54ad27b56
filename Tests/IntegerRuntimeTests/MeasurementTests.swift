import Compute
import IntegerRuntime
import ModelFiles
import Quantization
import Testing

@Suite("What bench measures")
struct MeasurementTests {
    @Test("the median of odd and even counts")
    func median() {
        #expect(Stopwatch.median([3, 1, 2]) == 2)
        #expect(Stopwatch.median([4, 1, 2, 3]) == 2.5)
        #expect(Stopwatch.median([]) == 0)
    }

    @Test("the work of a model counts each weight once, the head for one token, and half of all pairs")
    func work() throws {
        let weights = try Bard.weights(GridFormat(.uniform, bits: 8, .group(32)), .int8g32)
        let model = try Bard.integer(weights, kv: .int8, context: 128)
        let work = ModelWork(model: model)
        let c = model.configuration
        let perLayer = 2 * c.width * (c.heads + c.keyValueHeads) * c.headWidth + 3 * c.width * c.feedForward
        let head = c.vocabulary * c.width
        let pairs = 64 * 65 / 2
        let expected = 2 * c.layers * perLayer * 64 + 2 * head + 4 * c.layers * c.heads * c.headWidth * pairs
        #expect(work.operations(prompt: 64) == Double(expected))
        // 8 bits and a half-precision scale for each 32; int8 keys and values with a float32 scale for each head.
        let embedding = c.tiedEmbedding ? head : 2 * head
        let packed = Double(c.layers * perLayer + embedding - (c.tiedEmbedding ? 0 : head)) * (1 + 2.0 / 32)
        let position = Double(2 * c.layers * c.keyValueHeads * (c.headWidth + 4))
        // The scales of a row block are rounded up to whole lines, the cache to whole pages.
        #expect(abs(work.bytes(perTokenAt: 0) / packed - 1) < 0.05)
        #expect(abs((work.bytes(perTokenAt: 100) - work.bytes(perTokenAt: 0)) / (100 * position) - 1) < 0.05)
    }

    @Test("products do not run faster than registers multiply")
    func rates() throws {
        let pool = ThreadPool(threads: 2)
        let machine = try MachineRates(pool: pool)
        let weights = try Bard.weights(GridFormat(.uniform, bits: 8, .channel), .int8)
        let products = try ProductRates(of: Array(weights.matrices.values), repeats: 3, pool: pool)
        #expect(products.prefill > 0 && products.prefill < 1.2 * machine.int8Peak)
        #expect(products.decode > 0)
        #expect(machine.readBandwidth > 1e8)
    }
}
