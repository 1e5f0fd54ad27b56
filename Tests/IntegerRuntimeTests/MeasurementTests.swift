import Compute
import IntegerRuntime
import ModelFiles
import Quantization
import Synchronization
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

    /// Each measurement takes one second by this clock, so that a rate is the count of what was done.
    @Test("rates count every byte and every operation of the work that is timed")
    func rates() throws {
        let pool = ThreadPool(threads: 2)
        let machine = try MachineProbe(pool: pool)
        #expect(machine.readBandwidth(repeats: 5, clock: TickingClock()) == 512 * 1024 * 1024)
        #expect(machine.int8Peak(clock: TickingClock()) > 0)
        let matrices = try Array(Bard.weights(GridFormat(.uniform, bits: 8, .channel), .int8).matrices.values)
        let products = try ProductRates(of: matrices, tokens: 48, repeats: 3, pool: pool, clock: TickingClock())
        #expect(products.decode == Double(matrices.reduce(0) { $0 + $1.packedBytes }))
        #expect(products.prefill == Double(matrices.reduce(0) { $0 + 2 * 48 * $1.rows * $1.columns }))
        #expect(products.cachedDecode == products.decode)
        let first = try ProductRates(of: matrices, few: 2, repeats: 1, pool: pool, clock: TickingClock())
        #expect(first.cachedDecode == Double(matrices[0].packedBytes + matrices[1].packedBytes))
    }

    @Test("the fastest of some runs counts")
    func least() {
        let clock = TickingClock()
        var looks = [3, 1, 2].makeIterator()
        #expect(Stopwatch.least(of: 3, by: clock) { for _ in 0..<(looks.next() ?? 0) { _ = clock.now } } == 2)
    }

    @Test("samples count that were taken while the machine was as fast as usual, before and after")
    func steady() {
        var samples = SteadySamples<Double>()
        func add(_ value: Double, _ first: (Double, Double), _ second: (Double, Double)) {
            samples.add(
                value, between: MachineSpeed(read: first.0, int8Peak: first.1),
                and: MachineSpeed(read: second.0, int8Peak: second.1))
        }
        add(10, (36, 940), (35, 930))
        add(20, (36, 940), (57, 940))
        add(30, (57, 940), (36, 940))
        add(14, (38, 900), (34, 950))
        add(25, (36, 470), (36, 940))
        add(60, (57, 940), (56, 940))
        add(26, (36, 940), (36, 470))
        add(50, (36, 470), (36, 460))
        add(11, (36, 940), (36, 940))
        let usual = MachineSpeed(read: 36, int8Peak: 940)
        #expect(samples.steady(at: usual) == [10, 14, 11])
        #expect(samples.median(at: usual) { 2 * $0 } == 22)
        #expect(samples.median(at: MachineSpeed(read: 57, int8Peak: 940)) { $0 } == 60)
        #expect(samples.median(at: MachineSpeed(read: 36, int8Peak: 470)) { $0 } == 50)
        // No sample of such a machine: what there is, rather than nothing.
        #expect(samples.median(at: MachineSpeed(read: 100, int8Peak: 940)) { $0 } == 25)
    }

    /// A clock on which every look takes a second.
    private final class TickingClock: Clock {
        private let ticks = Atomic<Int>(0)
        private let start = ContinuousClock().now
        var now: ContinuousClock.Instant {
            start.advanced(by: .seconds(ticks.add(1, ordering: .relaxed).newValue))
        }
        var minimumResolution: Duration { .seconds(1) }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
    }
}
