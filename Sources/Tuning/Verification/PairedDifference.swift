internal import Compute

/// The mean difference of two plans' KL divergences, position by position on the same text, with its bootstrap interval.
package struct PairedDifference: Sendable, Equatable, Codable {
    /// Nats per token; negative where the first plan is better.
    package var mean: Double
    /// 95 % interval of the mean: percentiles of resampled means (Efron and Tibshirani, 1993, chapter 13).
    package var interval: [Double]

    /// Neighbouring positions are alike: they are drawn together, this many at a time (moving blocks: Künsch, 1989).
    private static let block = 16
    private static let resamples = 1000

    /// The difference of `first` less `second`, which hold one number for each position of the same text. `seed` draws.
    package init(of first: [Double], less second: [Double], seed: UInt64) {
        let differences = zip(first, second).map { $0 - $1 }
        let count = differences.count
        let total = differences.reduce(0, +)
        mean = total / Double(max(1, count))
        let block = min(Self.block, max(1, count))
        // Sums of all blocks, so that a resample adds a few of them.
        var sums: [Double] = []
        var sum = 0.0
        for (index, difference) in differences.enumerated() {
            sum += difference
            if index >= block { sum -= differences[index - block] }
            if index >= block - 1 { sums.append(sum / Double(block)) }
        }
        guard sums.count > 1 else {
            interval = [mean, mean]
            return
        }
        var generator = SeededGenerator(seed: seed)
        let draws = max(1, count / block)
        let means = (0..<Self.resamples).map { _ in
            (0..<draws).reduce(0.0) { total, _ in total + sums[Int(generator.unit() * Double(sums.count))] }
                / Double(draws)
        }.sorted()
        interval = [means[Self.resamples / 40], means[Self.resamples - 1 - Self.resamples / 40]]
    }

    /// Whether the first plan is better beyond what chance explains.
    package var isImprovement: Bool { interval[1] < 0 }
}
