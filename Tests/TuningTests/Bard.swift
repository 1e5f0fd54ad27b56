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
}
