package import DeviceProfiles

/// Everything that tuning one model for one profile found out: what a bundle is written from.
package struct TuningResult: Sendable {
    /// A plan of another kind at the same limits, measured like the plan itself.
    package struct Baseline: Sendable, Equatable, Codable {
        /// The format, or the rule's name.
        package var name: String
        package var kl: Double
        package var residentBytes: Int
        package var storedBytes: Int
        /// The KL of the plan that ships less this one's, on the same positions.
        package var difference: PairedDifference?

        package init(
            name: String, kl: Double, residentBytes: Int, storedBytes: Int, difference: PairedDifference? = nil
        ) {
            self.difference = difference
            self.name = name
            self.kl = kl
            self.residentBytes = residentBytes
            self.storedBytes = storedBytes
        }

        enum CodingKeys: String, CodingKey {
            case name, kl, difference
            case residentBytes = "resident_bytes"
            case storedBytes = "stored_bytes"
        }
    }

    /// How good the solver's answer is proven to be.
    package struct Certificate: Sendable, Equatable, Codable {
        /// The key of a choice that was minimised, for instance `sensitivity`.
        package var objective: String
        package var value: Double
        /// A lower bound on every plan that keeps the limits.
        package var bound: Double
        /// (value - bound) / |bound|, 0 where proven optimal.
        package var gap: Double

        package init(objective: String, value: Double, bound: Double, gap: Double) {
            self.objective = objective
            self.value = value
            self.bound = bound
            self.gap = gap
        }
    }

    /// What one more unit of a constrained quantity would buy, nats per unit; 0 where the constraint does not bind.
    package struct ShadowPrices: Sendable, Equatable, Codable {
        package var memory = 0.0
        package var storage = 0.0
        package var prefill = 0.0
        package var decode = 0.0
        package var energy = 0.0

        package init() {}
    }

    /// A point of the trade-off between bytes and quality, predicted.
    package struct ParetoPoint: Sendable, Equatable, Codable {
        package var storedBytes: Int
        package var residentBytes: Int
        package var decodeSeconds: Double
        package var predictedKL: Double

        package init(storedBytes: Int, residentBytes: Int, decodeSeconds: Double, predictedKL: Double) {
            self.storedBytes = storedBytes
            self.residentBytes = residentBytes
            self.decodeSeconds = decodeSeconds
            self.predictedKL = predictedKL
        }

        enum CodingKeys: String, CodingKey {
            case storedBytes = "stored_bytes"
            case residentBytes = "resident_bytes"
            case decodeSeconds = "decode_seconds"
            case predictedKL = "predicted_kl"
        }
    }

    /// The best predicted quality at rows of budgets, each for one cost with the other limits lifted.
    package struct Fronts: Sendable, Equatable, Codable {
        /// Against resident bytes.
        package var memory: [ParetoPoint]
        /// Against seconds per decoded token; empty where no choice changes them.
        package var latency: [ParetoPoint]

        package init(memory: [ParetoPoint], latency: [ParetoPoint]) {
            self.memory = memory
            self.latency = latency
        }
    }

    package var profile: DeviceProfile
    package var plan: Plan
    /// The packed weights of the plan, as they are written to disk.
    package var weights: PlannedWeights
    package var verdicts: [Verdict]
    package var quality: QualityMeasure
    package var uniform: Baseline?
    package var rule: Baseline?
    package var certificate: Certificate
    package var shadowPrices: ShadowPrices
    /// The best predicted quality against stored bytes.
    package var paretoFront: [ParetoPoint]
    package var fronts: Fronts
    /// Budget-preserving exchanges that measurably helped, in words.
    package var exchanges: [String]
    /// Cost parameters that the profile does not give, whose terms are therefore 0.
    package var missingParameters: [String]
    /// Formats that reproduce an already quantized source exactly; empty for a float source.
    package var losslessFormats: [String]
    /// Where the calibration text came from, its digest and its token count.
    package var calibration: CalibrationSummary
    /// Seconds of each stage, in order.
    package var stages: [(name: String, seconds: Double)]
    package var cutShort: Bool
    /// The plan's predicted sums, everything that no choice changes included; stored bytes are those of the file.
    package var totals: Costs
    /// Measured by predicted KL of the solver's plan: how well scores add up on this model.
    package var scoreCorrection: Double
    /// The last knapsack with its solution: what `--problem` writes.
    package var instance: SolvedProblem
}

/// Where calibration text came from.
package struct CalibrationSummary: Sendable, Equatable, Codable {
    /// The file's name, or `self-written`.
    package var source: String
    package var digest: String
    package var tokens: Int

    package init(source: String, digest: String, tokens: Int) {
        self.source = source
        self.digest = digest
        self.tokens = tokens
    }
}
