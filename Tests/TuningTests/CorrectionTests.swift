import Compute
import Foundation
import Testing
import Tuning

/// Differences of plans with their intervals.
struct PairedDifferenceTests {
    private static func noise(_ count: Int, seed: UInt64) -> [Double] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in (0..<12).reduce(-6.0) { total, _ in total + generator.unit() } }
    }

    /// Independent positions: the interval is that of the normal approximation, 1.96 standard errors to each side.
    @Test func agreesWithTheNormalApproximation() {
        let count = 4000
        let base = (0..<count).map { Double($0 % 7) }
        let noise = Self.noise(count, seed: 1)
        let difference = PairedDifference(of: zip(base, noise).map { $0 + 0.02 * $1 - 0.001 }, less: base, seed: 5)
        let half = 1.96 * 0.02 / Double(count).squareRoot()
        #expect(abs(difference.mean + 0.001 - 0.02 * noise.reduce(0, +) / Double(count)) < 1e-12)
        // 1,000 resamples in 250 blocks find the ends to a tenth.
        #expect(abs((difference.interval[1] - difference.interval[0]) / (2 * half) - 1) < 0.15)
        #expect(difference.interval[0] < difference.mean && difference.mean < difference.interval[1])
    }

    /// The shift between two texts' worth of positions cancels in pairs: 0.5 % of the spread is seen.
    @Test func pairsCancelWhatBothHave() {
        let base = Self.noise(2000, seed: 2).map { abs($0) }
        let better = PairedDifference(of: base.map { $0 * 0.99 }, less: base, seed: 1)
        #expect(better.isImprovement)
        #expect(!PairedDifference(of: base.map { $0 * 1.01 }, less: base, seed: 1).isImprovement)
        #expect(!PairedDifference(of: base, less: base, seed: 1).isImprovement)
    }

    /// Runs of alike positions say less than as many independent ones.
    @Test func neighboursThatAreAlikeWidenTheInterval() {
        let independent = Self.noise(2000, seed: 3)
        let alike = (0..<2000).map { independent[$0 / 8] }
        let zeros = [Double](repeating: 0, count: 2000)
        func width(_ values: [Double]) -> Double {
            let interval = PairedDifference(of: values, less: zeros, seed: 9).interval
            return interval[1] - interval[0]
        }
        #expect(width(alike) > 1.8 * width(independent))
    }

    @Test func isAFunctionOfItsSeed() {
        let values = Self.noise(300, seed: 4)
        let zeros = [Double](repeating: 0, count: 300)
        #expect(
            PairedDifference(of: values, less: zeros, seed: 1) == PairedDifference(of: values, less: zeros, seed: 1))
        #expect(PairedDifference(of: [], less: [], seed: 1).interval == [0, 0])
    }
}

/// Factors of scores from measured plans.
struct ScoreCorrectionTests {
    /// Plans made of three kinds in known proportions, measured without error: the factors come back.
    @Test func findsTheFactorsThatPlansWereMadeWith() throws {
        let truth = [1.3, 0.9, 1.1]
        let sums = [[1.0, 1.0, 1.0], [3.0, 0.5, 0.7], [0.4, 2.5, 1.0], [0.8, 0.9, 3.0], [2.0, 2.0, 0.3]]
        let plans = sums.map { ($0, zip($0, truth).reduce(0) { $0 + $1.0 * $1.1 }) }
        let correction = ScoreCorrection(plans: plans, kinds: 3)
        for (factor, expected) in zip(correction.factors, truth) { #expect(abs(factor / expected - 1) < 0.01) }
    }

    /// One plan says nothing about kinds: all get the common factor.
    @Test func onePlanGivesOneFactor() {
        let correction = ScoreCorrection(plans: [([2.0, 1.0, 1.0], 6.0)], kinds: 3)
        #expect(correction.factors.allSatisfy { abs($0 - 1.5) < 1e-9 })
    }

    @Test func withoutMeasurementsNothingIsCorrected() {
        #expect(ScoreCorrection(plans: [], kinds: 2).factors == [1, 1])
        #expect(ScoreCorrection(plans: [([0, 0], 0)], kinds: 2).factors == [1, 1])
    }
}
