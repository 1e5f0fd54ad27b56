import CKernels
import Compute
import Foundation
import Testing

@Suite("Float steps between products")
struct ElementwiseTests {
    static let sets = InstructionSet.allCases.filter(\.isSupported)

    @Test("RMSNorm adds the update and agrees with double precision; same bits on every instruction set")
    func norm() {
        var source = RandomMatrices(seed: 1)
        for width in [32, 576, 2048] {
            let residual = (0..<width).map { _ in source.number(-100...100) }
            let update = (0..<width).map { _ in source.number(-10...10) }
            let gamma = (0..<width).map { _ in source.number(0...2) }
            let results = Self.sets.map { set in
                var (sum, target) = (residual, [Float](repeating: 0, count: width))
                fettle_add_norm(set.cValue, &sum, update, gamma, 1e-5, Int32(width), &target)
                return [sum, target]
            }
            #expect(results.allSatisfy { $0 == results[0] })
            let sum = zip(residual, update).map(+)
            #expect(results[0][0] == sum)
            let mean = sum.reduce(0) { $0 + Double($1) * Double($1) } / Double(width)
            for (index, value) in results[0][1].enumerated() {
                let exact = Double(sum[index]) / (mean + 1e-5).squareRoot() * Double(gamma[index])
                // Rounding of a 16-lane sum, a root, a division and two products: well under 2^-20.
                #expect(abs(Double(value) - exact) <= abs(exact) * 0x1p-20)
            }
        }
    }

    @Test("SwiGLU agrees with double precision from -200 to 200; same bits on every instruction set")
    func gate() {
        let gates =
            (0..<4096).map { Float($0 - 2048) / 10 } + [0, -0.0, 1e-30, -1e-30] + [Float](repeating: 1, count: 12)
        let ups = gates.indices.map { Float($0 % 7) - 3 }
        let results = Self.sets.map { set in
            var target = [Float](repeating: 0, count: gates.count)
            fettle_gate(set.cValue, gates, ups, Int32(gates.count), &target)
            return target
        }
        #expect(results.allSatisfy { $0 == results[0] })
        for (index, value) in results[0].enumerated() {
            let g = Double(gates[index])
            let exact = g / (1 + exp(-g)) * Double(ups[index])
            // exp within 2^-22, and e^-87 stands for anything smaller.
            #expect(abs(Double(value) - exact) <= abs(exact) * 0x1p-21 + 1e-34)
        }
    }

    @Test("rotary angles equal libm's to the last bit but one, also far out")
    func angles() {
        let frequencies = (0..<32).map { pow(10_000, -2 * Double($0) / 64) }
        for position in [0, 1, 2, 3, 511, 2047, 131_071] {
            var cosines = [Float](repeating: 0, count: 32)
            var sines = cosines
            fettle_rotary_angles(Int32(position), frequencies, 32, &cosines, &sines)
            for index in 0..<32 {
                let angle = Double(position) * frequencies[index]
                // Both are doubles rounded to float: equal up to the float's own rounding.
                #expect(abs(Double(cosines[index]) - cos(angle)) <= 0x1p-24)
                #expect(abs(Double(sines[index]) - sin(angle)) <= 0x1p-24)
            }
        }
    }

    @Test("pairs rotate: adjacent as in GGUF, halves as in Hugging Face")
    func rotation() {
        let angles: [Double] = [0.5, 1.25]
        let (cosines, sines) = (angles.map { Float(cos($0)) }, angles.map { Float(sin($0)) })
        for (adjacent, pairs) in [(true, [(0, 1), (2, 3)]), (false, [(0, 2), (1, 3)])] {
            let rows: [Float] = [1, 2, 3, 4, -1, 0.5, 2, -3]
            var rotated = rows
            fettle_rotate_pairs(&rotated, 2, 4, adjacent, cosines, sines)
            for head in 0..<2 {
                for (index, (a, b)) in pairs.enumerated() {
                    let (x, y) = (Double(rows[head * 4 + a]), Double(rows[head * 4 + b]))
                    let (c, s) = (cos(angles[index]), sin(angles[index]))
                    // One rounding for each of two products and a sum of numbers below 8.
                    #expect(abs(Double(rotated[head * 4 + a]) - (x * c - y * s)) < 1e-6)
                    #expect(abs(Double(rotated[head * 4 + b]) - (x * s + y * c)) < 1e-6)
                }
            }
        }
    }
}
