package import ModelFiles
internal import Quantization
package import Tuning

/// bundle.json: what was made, for which device, why, and how far its promises were kept. Numbers in B, s, J and nats.
package struct BundleManifest: Codable, Sendable, Equatable {
    /// Version of the program.
    package var fettle: String
    /// Version of this file's layout.
    package var schema: Int
    package var model: ModelSummary
    package var profile: ProfileSummary
    package var plan: PlanSummary
    package var verdicts: [Verdict]
    package var quality: QualityMeasure
    package var baselines: Baselines
    package var certificate: TuningResult.Certificate
    /// Budget-preserving exchanges that measurably helped.
    package var exchanges: [String]
    package var shadowPrices: TuningResult.ShadowPrices
    package var paretoFront: [TuningResult.ParetoPoint]
    /// Quality against memory and against latency; nil in bundles of older versions.
    package var fronts: TuningResult.Fronts?
    /// The plan's predicted sums, everything that no choice changes included; nil in bundles of older versions.
    package var totals: Costs?
    /// Formats that reproduce an already quantized source exactly.
    package var losslessFormats: [String]
    /// Cost parameters that the profile does not give; their terms are 0.
    package var missingParameters: [String]
    package var provenance: Provenance

    /// Layout version written by this program.
    package static let currentSchema = 1

    package struct ModelSummary: Codable, Sendable, Equatable {
        package var name: String
        package var digest: String
        package var architecture: String
        package var parameters: Int
        package var fileType: String

        enum CodingKeys: String, CodingKey {
            case name, digest, architecture, parameters
            case fileType = "file_type"
        }
    }

    package struct ProfileSummary: Codable, Sendable, Equatable {
        package var name: String
        package var digest: String
        package var runtime: String
        /// The profile after inheritance.
        package var resolved: JSON
    }

    package struct PlanSummary: Codable, Sendable, Equatable {
        package var kv: PlannedCache
        package var groups: [GroupSummary]
    }

    package struct GroupSummary: Codable, Sendable, Equatable {
        package var name: String
        package var tensors: [String]
        package var format: String
        package var activation: String
        package var refinement: String
        package var sensitivity: Double
        package var residentBytes: Int
        package var storedBytes: Int
        package var prefillSeconds: Double
        package var decodeSeconds: Double
        package var joules: Double
        package var why: String

        enum CodingKeys: String, CodingKey {
            case name, tensors, format, activation, refinement, sensitivity, joules, why
            case residentBytes = "resident_bytes"
            case storedBytes = "stored_bytes"
            case prefillSeconds = "prefill_seconds"
            case decodeSeconds = "decode_seconds"
        }

        /// What the manifest says of `group`.
        package init(_ group: PlannedGroup) {
            name = group.name
            tensors = group.tensors
            format = group.choice.format.description
            activation = group.choice.activation.rawValue
            refinement = group.choice.refinement
            sensitivity = group.sensitivity
            residentBytes = group.residentBytes
            storedBytes = group.storedBytes
            prefillSeconds = group.prefillSeconds
            decodeSeconds = group.decodeSeconds
            joules = group.joules
            why = group.why
        }
    }

    package struct Baselines: Codable, Sendable, Equatable {
        /// The best measured one-format plan that keeps the profile's limits.
        package var uniform: TuningResult.Baseline?
        /// llama.cpp's own recipe, where its formats are legal.
        package var rule: TuningResult.Baseline?
    }

    /// How the bundle came to be; the only part that differs between two runs with one seed.
    package struct Provenance: Codable, Sendable, Equatable {
        package var command: [String]
        package var seed: UInt64
        package var calibration: CalibrationSummary
        package var versions: [String: String]
        /// ISO 8601, UTC.
        package var started: String
        package var seconds: Double
        /// Seconds of each stage.
        package var stages: [String: Double]
        package var cutShort: Bool

        package init(
            command: [String], seed: UInt64, calibration: CalibrationSummary, versions: [String: String],
            started: String, seconds: Double, stages: [String: Double], cutShort: Bool
        ) {
            self.command = command
            self.seed = seed
            self.calibration = calibration
            self.versions = versions
            self.started = started
            self.seconds = seconds
            self.stages = stages
            self.cutShort = cutShort
        }

        enum CodingKeys: String, CodingKey {
            case command, seed, calibration, versions, started, seconds, stages
            case cutShort = "cut_short"
        }
    }

    enum CodingKeys: String, CodingKey {
        case fettle, schema, model, profile, plan, verdicts, quality, baselines, certificate, exchanges, fronts, totals
        case provenance
        case shadowPrices = "shadow_prices"
        case paretoFront = "pareto_front"
        case losslessFormats = "lossless_formats"
        case missingParameters = "missing_parameters"
    }
}
