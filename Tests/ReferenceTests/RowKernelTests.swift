import CKernels
import Compute
import Foundation
import Testing

@Suite struct RowKernelTests {
    /// Every 64th float from -110 to 95, so that results below and above the range are among them.
    @Test func exponentialIsWithinTwoUnitsInTheLastPlace() {
        let negative = stride(from: Float(-0.0).bitPattern, through: Float(-110).bitPattern, by: 1 << 12)
        let positive = stride(from: Float(0).bitPattern, through: Float(95).bitPattern, by: 1 << 12)
        let x = (Array(negative) + Array(positive)).map { Float(bitPattern: $0) }
        for (argument, found) in zip(x, exponentials(x, .best)) {
            let exact = exp(Double(argument))
            guard exact < Double(Float.greatestFiniteMagnitude) else {
                #expect(found == .infinity)
                continue
            }
            #expect(abs(Double(found) - exact) < 2 * Double(Float(exact).ulp), "exp(\(argument))")
        }
    }

    @Test func exponentialOfSpecialValues() {
        let found = exponentials([0, -.infinity, .infinity, .nan, 1000, -1000], .best)
        #expect(found[0] == 1 && found[1] == 0 && found[2] == .infinity && found[3].isNaN)
        #expect(found[4] == .infinity && found[5] == 0)
    }

    @Test func kernelsAreTheSameBitsOnEveryInstructionSet() {
        var generator = SeededGenerator(seed: 8)
        let x = (0..<4001).map { _ in Float(200 * generator.unit() - 100) }
        let expected = all(x, .scalar)
        for instructionSet in InstructionSet.allCases where instructionSet.isSupported {
            #expect(all(x, instructionSet) == expected)
        }
    }

    @Test func siluAgreesWithDouble() {
        var generator = SeededGenerator(seed: 9)
        let gate = (0..<101).map { _ in Float(40 * generator.unit() - 20) }
        let up = (0..<101).map { _ in Float(2 * generator.unit() - 1) }
        var found = [Float](repeating: 0, count: 101)
        fettle_silu_product(InstructionSet.best.cValue, gate + up, &found, 1, 101)
        for index in 0..<101 {
            let exact = Double(gate[index]) / (1 + exp(-Double(gate[index]))) * Double(up[index])
            // exp within 2 ulp, then four roundings of half an ulp each.
            #expect(abs(Double(found[index]) - exact) <= 4.5 * 0x1p-23 * abs(exact))
        }
    }

    /// A unit of u falls on the index whose share of the cumulative softmax holds u.
    @Test func samplingInvertsTheDistribution() {
        var generator = SeededGenerator(seed: 10)
        let logits = (0..<333).map { _ in Float(8 * generator.unit()) }
        let weights = logits.map { exp(Double($0) * 0.5) }
        let total = weights.reduce(0, +)
        for _ in 0..<2000 {
            let unit = generator.unit()
            let index = fettle_sample(InstructionSet.best.cValue, logits, 333, 0.5, unit)
            let below = weights[..<index].reduce(0, +) / total
            // Where the shares meet, float32 sums may differ from these by their rounding.
            #expect(below - 1e-6 <= unit && unit <= below + weights[index] / total + 1e-6)
        }
        #expect(fettle_sample(InstructionSet.best.cValue, [-.infinity, 2, -.infinity], 3, 1, 0.999_999_999) == 1)
    }

    private func exponentials(_ x: [Float], _ instructionSet: InstructionSet) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        fettle_exp(instructionSet.cValue, x, &y, x.count)
        return y
    }

    /// The results of every row kernel on `x`, as bits.
    private func all(_ x: [Float], _ instructionSet: InstructionSet) -> [UInt64] {
        let isa = instructionSet.cValue
        let ones = [Float](repeating: 1.5, count: x.count)
        var (softmax, norm, gradient) = (x, x, x)
        fettle_softmax(isa, &softmax, x.count, 0.3)
        fettle_rms_norm(isa, x, ones, &norm, 1, x.count, 1e-5)
        fettle_rms_norm_backward(isa, x, ones, softmax, &gradient, 1, x.count, 1e-5)
        var silu = [Float](repeating: 0, count: x.count / 2)
        var siluGradient = x
        fettle_silu_product(isa, x, &silu, 1, x.count / 2)
        fettle_silu_product_backward(isa, x, silu, &siluGradient, 1, x.count / 2)
        let metrics = fettle_compare_rows(isa, x, norm, x.count, 17)
        let doubles = [
            metrics.divergence, metrics.candidate_log_probability, fettle_log_sum_exp(isa, x, x.count),
            Double(fettle_sample(isa, norm, x.count, 1, 0.7)),
        ]
        let floats = exponentials(x, instructionSet) + softmax + norm + gradient + silu + siluGradient
        return doubles.map(\.bitPattern) + floats.map { UInt64($0.bitPattern) }
    }
}
