import Compute
import Quantization
import Testing

/// The codebook solver against plain dynamic programming over all pairs of points, with errors summed number by number.
@Suite struct CodebookSolverTests {
    /// Numbers, each in the middle of its interval of 1/2, and what they count.
    private struct Sample {
        var x: [Double] = []
        var weight: [Double] = []

        init(seed: UInt64, count: Int) {
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<count {
                let number = min(max(40 * generator.number(.heavyTailed), -127.9), 127.4)
                x.append((number * 2).rounded(.down) / 2 + 0.25)
                weight.append(generator.unit())
            }
        }

        var sums: [Double] {
            var sums = [Double](repeating: 0, count: 3 * 512)
            for (x, weight) in zip(x, weight) {
                let interval = Int((2 * x).rounded(.down)) + 256
                sums[3 * interval] += weight
                sums[3 * interval + 1] += weight * x
                sums[3 * interval + 2] += weight * x * x
            }
            return sums
        }

        func error(_ points: [Int8]) -> Double {
            zip(x, weight).reduce(0) { sum, number in
                sum + number.1 * (points.map { (number.0 - Double($0)) * (number.0 - Double($0)) }.min() ?? 0)
            }
        }

        /// The least error of `count` points.
        func least(_ count: Int) -> Double {
            func part(_ range: ClosedRange<Double>, _ points: [Double]) -> Double {
                zip(x, weight).reduce(0) { sum, number in
                    guard range.contains(number.0) else { return sum }
                    return sum + number.1 * (points.map { (number.0 - $0) * (number.0 - $0) }.min() ?? 0)
                }
            }
            let points = (-127...127).map(Double.init)
            let between = points.map { upper in
                points.map { lower in lower < upper ? part(lower...upper, [lower, upper]) : 0 }
            }
            var cost = points.map { part(-200...$0, [$0]) }
            for chosen in 1..<count {
                cost = points.indices.map { upper in
                    (0..<upper).map { $0 < chosen - 1 ? .infinity : cost[$0] + between[upper][$0] }.min() ?? .infinity
                }
            }
            return points.indices.map { cost[$0] + part(points[$0]...200, [points[$0]]) }.min() ?? 0
        }
    }

    @Test(arguments: [2, 3, 8, 16, 64])
    func pointsAreTheBestThereAre(count: Int) {
        for seed: UInt64 in 40..<43 {
            let sample = Sample(seed: seed, count: 60)
            let found = CodebookSolver(sums: sample.sums).solve(count)
            #expect(found.points.count == count && zip(found.points, found.points.dropFirst()).allSatisfy { $0 < $1 })
            // Prefix sums of doubles up to 60 * 127^2 cancel to about 1e-9.
            #expect(abs(sample.error(found.points) - sample.least(count)) < 1e-7)
            #expect(abs(found.error - sample.error(found.points)) < 1e-7)
        }
    }
}
