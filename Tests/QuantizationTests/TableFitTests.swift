import Compute
import Foundation
import Quantization
import Testing

/// Codebooks against exact k-means, and what they and powers of two are for.
@Suite struct TableFitTests {
    /// The least weighted error of `count` centres, anywhere on the line: dynamic programming over the sorted numbers.
    private func kMeans(_ values: [Float], _ importance: [Float], _ count: Int) -> Double {
        let sorted = values.indices.sorted { values[$0] < values[$1] }
        var mass = [0.0], first = [0.0], second = [0.0]
        for index in sorted {
            let value = Double(values[index]), weight = Double(importance[index])
            mass.append(mass[mass.count - 1] + weight)
            first.append(first[first.count - 1] + weight * value)
            second.append(second[second.count - 1] + weight * value * value)
        }
        func cluster(_ from: Int, _ to: Int) -> Double {
            let sum = first[to] - first[from]
            return max(0, second[to] - second[from] - sum * sum / (mass[to] - mass[from]))
        }
        var cost = (0...values.count).map { $0 == 0 ? 0 : cluster(0, $0) }
        for _ in 1..<count {
            cost = (0...values.count).map { end in
                (0..<end).reduce(cost[end]) { min($0, cost[$1] + cluster($1, end)) }
            }
        }
        return cost[values.count]
    }

    @Test(arguments: ["k2t", "k3c", "k4c", "k4t", "k5c"], [Distribution.normal, .heavyTailed])
    func aCodebookIsNearlyExactKMeans(name: String, distribution: Distribution) throws {
        let weights = Matrix.random(rows: 1, columns: 512, distribution, seed: 20)
        var generator = SeededGenerator(seed: 21)
        let importance = generator.importance(512)
        let format = try GridQuantizer.grid(name)
        let best = kMeans(weights.values, importance, 1 << format.bits)
        let found = try GridQuantizer.error(name, of: weights, importance: importance)
        // Float32 prefix sums aside, nothing is below exact k-means.
        #expect(found >= best * (1 - 1e-6))
        // Entries are rounded to steps of 1/127 of the range. Against the spacing of 16 entries that is little; 32 lie as close
        // as two or three steps where the weights are dense, more so where outliers stretch the range.
        let slack = (distribution == .normal ? 1.03 : 1.10) + (format.bits > 4 ? 0.10 : 0)
        #expect(found <= best * slack, "\(found / best)")
    }

    @Test func codebooksBeatUniformGridsOnHeavyTails() throws {
        let weights = Matrix.random(rows: 48, columns: 512, .heavyTailed, seed: 22)
        var generator = SeededGenerator(seed: 23)
        let importance = generator.importance(512)
        for suffix in ["t", "c", "g128", "g64", "g32"] {
            for bits in [3, 4] {
                let codebook = try GridQuantizer.error("k\(bits)\(suffix)", of: weights, importance: importance)
                let uniform = try GridQuantizer.error("u\(bits)\(suffix)", of: weights, importance: importance)
                #expect(codebook < 0.9 * uniform, "\(bits)\(suffix): \(codebook / uniform)")
            }
        }
    }

    @Test func codebooksOfRowBlocksBeatOneOfTheTensor() throws {
        // Row blocks with different shapes of distribution.
        var weights = Matrix.random(rows: 64, columns: 256, .heavyTailed, seed: 24)
        for row in 0..<64 where (row / 16).isMultiple(of: 2) {
            for column in 0..<256 { weights.values[row * 256 + column] = sin(Float(row * 256 + column)) }
        }
        for name in ["k3g64", "k3c", "k3t"] {
            let blocks = try GridQuantizer.error(name + "r16", of: weights)
            #expect(try blocks < GridQuantizer.error(name, of: weights), "\(name)")
        }
    }

    @Test func refinementNeverLoses() throws {
        let weights = Matrix.random(rows: 20, columns: 384, .heavyTailed, seed: 25)
        var generator = SeededGenerator(seed: 26)
        let importance = generator.importance(384)
        for format in GridFormat.usual where format.granularity != .group(256) {
            let name = format.description
            let plain = try GridQuantizer.error(name, of: weights, importance: importance, clip: false)
            let found = try GridQuantizer.error(name, of: weights, importance: importance)
            // A part in a thousand for the histogram's boundaries in whole-tensor fits of 8 bits.
            #expect(found <= plain * 1.001, "\(name): \(found / plain)")
        }
    }

    @Test func powersOfTwoAndTheirSumsHoldWhatTheyCan() throws {
        let powers = (2...4).map { GridFormat(.log2, bits: $0, .tensor) }
        for format in powers + (4...6).map({ GridFormat(.twoPowers, bits: $0, .tensor) }) {
            let points = try #require(format.fixedPoints)
            #expect(points.count == 1 << format.bits && points.contains(0) && points == points.sorted())
            // Only the last may stand there twice.
            #expect(Set(points).count >= points.count - 1)
            if format.grid == .log2 {
                #expect(points.allSatisfy { $0 == 0 || abs($0).nonzeroBitCount == 1 && abs($0) <= 64 })
            } else {
                // What has at most two digits other than 0 where digits may be -1: a number that differs from its triple in at
                // most two bits (Reitwiesner, 1960).
                #expect(points.allSatisfy { (abs(Int($0)) ^ 3 * abs(Int($0))).nonzeroBitCount <= 2 })
            }
            // Weights on the grid come back exactly.
            var weights = Matrix(rows: 16, columns: 64)
            for index in weights.values.indices {
                weights.values[index] = 0.0078125 * Float(points[index * 7 % points.count])
            }
            for suffix in ["g32", "c", "t"] {
                #expect(try GridQuantizer.error("\(format.grid.rawValue)\(format.bits)\(suffix)", of: weights) == 0)
            }
        }
    }

    @Test func sumsOfTwoPowersBeatUniformGridsOnNormalRows() throws {
        let weights = Matrix.random(rows: 48, columns: 512, .normal, seed: 28)
        // Of endless normal rows the sums have 0.895 times the uniform grid's error at 4 bits, 0.786 at 5 and 1.41 at 6, each
        // grid with its best scale; powers alone have 3.18 times it at 4 bits.
        for (bits, most) in [(4, 0.95), (5, 0.85), (6, 1.6)] {
            let sums = try GridQuantizer.error("p\(bits)c", of: weights)
            let uniform = try GridQuantizer.error("u\(bits)c", of: weights)
            #expect(sums < most * uniform, "\(bits) bits: \(sums / uniform)")
        }
        #expect(try 2 * GridQuantizer.error("p4c", of: weights) < GridQuantizer.error("l4c", of: weights))
    }

    @Test(arguments: ["u", "a", "k"], [Distribution.normal, .heavyTailed])
    func anotherBitMeansLessError(grid: String, distribution: Distribution) throws {
        let weights = Matrix.random(rows: 32, columns: 256, distribution, seed: 27)
        for suffix in ["t", "c", "g64"] {
            // Seven bits of int8 entries are little more than six.
            let bits = grid == "k" ? 2...6 : 2...8
            let errors = try bits.map { try GridQuantizer.error("\(grid)\($0)\(suffix)", of: weights) }
            // A bit halves the steps, a quarter of the error; with heavy tails it goes into the range as well.
            let factor = distribution == .normal ? 2.0 : 1.2
            for (less, more) in zip(errors, errors.dropFirst()) { #expect(more < less / factor) }
        }
    }
}
