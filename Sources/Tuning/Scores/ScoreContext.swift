internal import Compute
internal import ModelFiles

/// Everything that a score depends on beside its group and choice; its key in the store.
struct ScoreContext: Sendable, Equatable {
    let model: String
    let calibration: String
    let tokens: Int
    let seed: UInt64

    /// Changes whenever fits, kernels or the definition of a score change what comes out.
    static let kernelVersion = 2

    init(model: Model, calibration: TokenSequences, seed: UInt64) {
        self.model = model.digest
        self.calibration = calibration.digest
        tokens = calibration.count
        self.seed = seed
    }

    /// The key: parts by name. The plan upstream is empty, for scores are measured on the float model's inputs.
    var key: String {
        "model=\(model) calibration=\(calibration) tokens=\(tokens) seed=\(seed) upstream= kernel=\(Self.kernelVersion)"
    }

    /// The key of text that a model wrote itself.
    static func textKey(model: Model, seed: UInt64, length: Int) -> String {
        "model=\(model.digest) text seed=\(seed) length=\(length) kernel=\(kernelVersion)"
    }
}
