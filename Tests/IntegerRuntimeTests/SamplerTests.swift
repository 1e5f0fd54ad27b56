import Compute
import IntegerRuntime
import Quantization
import Testing

@Suite("Sampling")
struct SamplerTests {
    @Test("temperature 0 takes the most likely token, ties to the lowest id, never a NaN")
    func greedy() {
        var sampler = Sampler(temperature: 0, seed: 1)
        #expect(sampler.next([1, 3, 2, 3] as [Float]) == 1)
        #expect(sampler.next([.nan, -5, .nan] as [Float]) == 1)
        #expect(sampler.next([-.infinity, -.infinity] as [Float]) == 0)
    }

    @Test("draws follow the distribution, and the seed")
    func draws() {
        let logits: [Float] = [0, 1, 2, .nan]
        var sampler = Sampler(temperature: 0.5, seed: 42)
        var again = Sampler(temperature: 0.5, seed: 42)
        var counts = [0, 0, 0, 0]
        for _ in 0..<20_000 {
            let token = sampler.next(logits)
            #expect(token == again.next(logits))
            counts[Int(token)] += 1
        }
        // e^0, e^2 and e^4 over their sum; three standard deviations of 20,000 draws are under 0.008.
        for (count, share) in zip(counts, [0.01588, 0.11731, 0.86681, 0]) {
            #expect(abs(Double(count) / 20_000 - share) < 0.008)
        }
    }

    @Test("generation continues the prompt as repeated forward passes would, and stops when told or full")
    func generation() throws {
        let weights = try Bard.weights(GridFormat(.uniform, bits: 8, .group(32)), .int8g32)
        let model = try Bard.integer(weights, context: 24)
        let prompt = try Bard.tokens(8)
        func generate(_ count: Int, stop: Int = .max) throws -> [Int32] {
            var sampler = Sampler(temperature: 0, seed: 1)
            var tokens: [Int32] = []
            try model.generate(prompt: prompt, count: count, sampler: &sampler, cache: try model.makeCache()) {
                tokens.append($0)
                return tokens.count < stop
            }
            return tokens
        }
        let five = try generate(5)
        #expect(five.count == 5)
        for index in 0..<5 {
            let logits = try model.forward(
                tokens: prompt + five.prefix(index), cache: try model.makeCache(), logits: .last)
            #expect(logits.values.firstIndex(of: logits.values.max() ?? 0) == Int(five[index]))
        }
        #expect(try generate(5, stop: 2) == Array(five.prefix(2)))
        // 8 in the prompt, 16 more fill the context; the token after the last position can still be drawn.
        #expect(try generate(100).count == 17)
    }
}
