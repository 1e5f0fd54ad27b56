import Compute
import Foundation
import Quantization
import Testing

/// The entropy-constrained solver against every partition of a few numbers.
@Suite struct SharedSolverTests {
    /// Numbers in intervals of 1/2, some of them several times.
    private struct Sample {
        var x: [Double] = []
        var weight: [Double] = []

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<9 {
                let number = min(max(30 * generator.normal(), -127), 126)
                for _ in 0..<Int.random(in: 1...6, using: &generator) {
                    x.append(number.rounded(.down) + 0.25)
                    weight.append(0.2 + generator.unit())
                }
            }
        }

        func interval(_ number: Double) -> Int { Int((2 * number).rounded(.down)) + 256 }

        var solver: SharedSolver {
            var sums = [Double](repeating: 0, count: 3 * 512)
            var counts = [Double](repeating: 0, count: 512)
            for (x, weight) in zip(x, weight) {
                sums[3 * interval(x)] += weight
                sums[3 * interval(x) + 1] += weight * x
                sums[3 * interval(x) + 2] += weight * x * x
                counts[interval(x)] += 1
            }
            return SharedSolver(sums: sums, counts: counts)
        }

        /// The least error + lambda * bits of all partitions.
        func least(_ lambda: Double) -> Double {
            let values = Set(x).sorted()
            var least = Double.infinity
            for cuts in 0..<1 << (values.count - 1) {
                var cells: [[Int]] = [[]]
                for (place, value) in values.enumerated() {
                    cells[cells.count - 1] += x.indices.filter { x[$0] == value }
                    if place < values.count - 1, cuts >> place & 1 == 1 { cells.append([]) }
                }
                var cost = 0.0
                for cell in cells { cost += error(cell) + lambda * bits(cell) }
                least = min(least, cost)
            }
            return least
        }

        private func error(_ cell: [Int]) -> Double {
            var least = Double.infinity
            for point in -127...127 {
                var sum = 0.0
                for index in cell {
                    let distance = x[index] - Double(point)
                    sum += weight[index] * distance * distance
                }
                least = min(least, sum)
            }
            return least
        }

        private func bits(_ cell: [Int]) -> Double { -Double(cell.count) * log2(Double(cell.count) / Double(x.count)) }
    }

    @Test(arguments: [0.01, 1, 10, 100, 1000])
    func cellsAreTheBestThereAre(lambda: Double) {
        for seed: UInt64 in 50..<56 {
            let sample = Sample(seed: seed)
            let found = sample.solver.solve(lambda: lambda, limit: 256)
            let cost = found.error + lambda * found.bits
            // Prefix sums of doubles cancel to about 1e-9.
            #expect(abs(cost - sample.least(lambda)) < 1e-6, "seed \(seed)")
            #expect(found.points.count == found.lengths.count)
            #expect(zip(found.points, found.points.dropFirst()).allSatisfy(<=))
        }
    }

    @Test func limitsOfBitsAndCellsAreKept() {
        for seed: UInt64 in 60..<64 {
            let sample = Sample(seed: seed)
            for rate in [0.5, 1, 1.5, 2] {
                let found = sample.solver.solve(rate: rate, limit: 256).cells
                #expect(found.bits <= rate * Double(sample.x.count))
            }
            for limit in 1...4 { #expect(sample.solver.solve(lambda: 0.001, limit: limit).points.count <= limit) }
        }
    }
}
