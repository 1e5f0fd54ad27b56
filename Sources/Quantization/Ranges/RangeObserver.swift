internal import Glibc

/// How the range of a static activation is found in what calibration saw: what lies beyond it is cut off, and the wider it is
/// the coarser are the steps.
package enum RangeObserver: String, Sendable, CaseIterable {
    /// All of it.
    case minMax = "min-max"
    /// All but one number in ten thousand.
    case percentile
    /// The least mean squared error of rounding and cutting.
    case mse
    /// The least Kullback-Leibler divergence of the histogram that is left (Migacz, 8-bit inference with TensorRT, 2017).
    case entropy

    /// Steps on each side of zero.
    private static let levels = 127
    private static let share = 0.9999

    /// What 127 steps stand for.
    package func range(of histogram: MagnitudeHistogram) -> Float {
        let kept: Int =
            switch self {
            case .minMax: MagnitudeHistogram.bins
            case .percentile: Self.covering(histogram)
            case .mse: Self.best(Self.squaredErrors(histogram))
            case .entropy: Self.best(Self.divergences(histogram))
            }
        return histogram.largest * Float(kept) / Float(MagnitudeHistogram.bins)
    }

    /// The least number of bins that hold the `share` of all.
    private static func covering(_ histogram: MagnitudeHistogram) -> Int {
        let wanted = histogram.counts.reduce(0, +) * share
        var sum = 0.0
        for (bin, count) in histogram.counts.enumerated() {
            sum += count
            if sum >= wanted { return bin + 1 }
        }
        return histogram.counts.count
    }

    /// Numbers of bins that are tried: from one for each step on.
    private static var candidates: [Int] {
        Array(stride(from: levels + 1, through: MagnitudeHistogram.bins, by: 16))
    }

    private static func best(_ errors: [Double]) -> Int {
        var best = errors.count - 1
        for index in errors.indices where errors[index] < errors[best] { best = index }
        return candidates[best]
    }

    /// For each candidate the sum of squared errors, in bins: a number's own below half a step, step^2 / 12 above, and what is
    /// beyond the range for those that are cut off.
    private static func squaredErrors(_ histogram: MagnitudeHistogram) -> [Double] {
        candidates.map { kept in
            let step = Double(kept) / Double(levels)
            return histogram.counts.enumerated().reduce(0) { sum, entry in
                let magnitude = Double(entry.offset) + 0.5
                let beyond = magnitude - Double(kept)
                let within = magnitude < step / 2 ? magnitude * magnitude : step * step / 12
                return sum + entry.element * (beyond > 0 ? beyond * beyond : within)
            }
        }
    }

    /// For each candidate the divergence of the bins within the range, the last of them with all beyond, from what is left of
    /// them where the bins of a step become alike.
    private static func divergences(_ histogram: MagnitudeHistogram) -> [Double] {
        let total = max(1, histogram.counts.reduce(0, +))
        return candidates.map { kept in
            let beyond = histogram.counts[kept...].reduce(0, +)
            var sum = 0.0
            for level in 0...levels {
                let bins = kept * level / (levels + 1)..<kept * (level + 1) / (levels + 1)
                let filled = bins.filter { histogram.counts[$0] > 0 }
                let mean = filled.reduce(0) { $0 + histogram.counts[$1] } / Double(max(1, filled.count))
                for bin in bins {
                    let count = histogram.counts[bin] + (bin == kept - 1 ? beyond : 0)
                    guard count > 0 else { continue }
                    // A bin that holds nothing but what was cut off has no likeness: it counts as one number.
                    let left = histogram.counts[bin] > 0 ? mean : 1
                    sum += count / total * log(count / left)
                }
            }
            return sum
        }
    }
}
