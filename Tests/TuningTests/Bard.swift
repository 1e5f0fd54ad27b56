import Compute
import DeviceProfiles
import Foundation
import ModelFiles
import Quantization
import Reference
import Tuning

/// The fixture model, and small runs of the tuner on it.
enum Bard {
    static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/bard").path

    static func model() throws -> Model { try Model.open(path) }

    static func reference(_ model: Model, _ pool: ThreadPool) throws -> ReferenceModel {
        try ReferenceModel(configuration: model.configuration, pool: pool) { try model.tensor($0).matrix() }
    }

    /// A few formats of different sizes and kinds.
    static let formats = ["u8g64", "u6g64", "u5g64", "u4g64", "a4g32", "k4g64", "k3g64", "a2g32"]

    /// Options for a run of a few seconds on `formats`.
    static func options(_ formats: [String] = formats) throws -> TuningOptions {
        var options = TuningOptions()
        options.only = try formats.map { try .init(parsing: $0) }
        options.seed = 11
        options.schedule = TuningSchedule(calibrationSequences: 2, evaluationChunks: 2, context: 128)
        return options
    }

    /// A profile with nothing but limits.
    static func profile(_ runtime: TargetRuntime = .fettle, memory: MemoryLimits) -> DeviceProfile {
        DeviceProfile(name: "bard-device", runtime: runtime, memory: memory)
    }

    /// Tunes the fixture for `profiles`; `steps` gets the steps of the sweep that were measured.
    static func tune(
        _ profiles: [DeviceProfile], _ options: TuningOptions, store: ScoreStore, threads: Int = 2, steps: inout Int
    ) throws -> [TuningResult] {
        var measured = 0
        let tuner = Tuner(options: options, store: store, pool: ThreadPool(threads: threads)) { progress in
            if progress.stage == "scores", progress.fraction > 0 { measured += 1 }
        }
        defer { steps = measured }
        return try tuner.tune(model: try model(), profiles: profiles)
    }

    /// The fixture with every matrix in one SPEC, the head in a format of its own where it has one; a run of a few seconds on
    /// `sequences` sequences of calibration.
    static func uniform(
        _ spec: String, head: String? = "u8g32", sequences: Int = 8, model: Model? = nil,
        observer: RangeObserver = .mse, store: ScoreStore? = nil
    ) throws -> TuningResult {
        var options = TuningOptions()
        options.uniform = try Spec(parsing: spec)
        options.head = try head.map(Format.init(parsing:))
        options.observer = observer
        options.seed = 3
        options.schedule = TuningSchedule(calibrationSequences: sequences, evaluationChunks: 4, context: 128)
        let store = try store ?? ScoreStore(path: nil)
        let tuner = Tuner(options: options, store: store, pool: ThreadPool(threads: 2), progress: { _ in })
        return try tuner.tune(
            model: try model ?? Self.model(), profiles: [profile(memory: MemoryLimits())])[0]
    }

    /// The fixture's function with channels of uneven scale, as training may leave them: powers of two up to so many octaves up
    /// and down, moved between the norms and what reads them.
    static func uneven(octaves: Int) throws -> Model {
        let source = try model()
        var scalings: [String: ChannelScaling] = [:]
        for layer in 0..<source.configuration.layers {
            let factors = (0..<source.configuration.width).map { exp2(Float($0 * 7 % (2 * octaves + 1) - octaves)) }
            for part in [TensorName.Part.query, .key, .value, .gate, .up] {
                scalings[TensorName.layer(layer, part)] = ChannelScaling(columns: factors)
            }
            for part in [TensorName.Part.attentionNorm, .feedForwardNorm] {
                scalings[TensorName.layer(layer, part)] = ChannelScaling(columns: factors.map { 1 / $0 })
            }
        }
        return try source.scaling(scalings, digest: "uneven")
    }
}
