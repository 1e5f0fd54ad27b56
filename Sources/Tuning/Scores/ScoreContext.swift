internal import Compute
internal import ModelFiles
internal import Quantization

/// Everything that a score depends on beside its group and choice; its key in the store.
struct ScoreContext: Sendable, Equatable {
    let model: String
    let calibration: String
    let tokens: Int
    let seed: UInt64

    /// Changes whenever fits, kernels or the definition of a score change what comes out.
    static let kernelVersion = 13
    /// Changes whenever shares of refined scores do, and nothing else.
    static let sharesVersion = 2

    /// How static ranges are found, where that is not the usual way.
    private let observer: String

    init(model: Model, calibration: TokenSequences, seed: UInt64, observer: RangeObserver = .mse) {
        self.observer = observer == .mse ? "" : " observer=\(observer.rawValue)"
        self.model = model.digest
        self.calibration = calibration.digest
        tokens = calibration.count
        self.seed = seed
    }

    /// The key: parts by name. The plan upstream is empty, for scores are measured on the float model's inputs.
    var key: String {
        "model=\(model) calibration=\(calibration) tokens=\(tokens) seed=\(seed) upstream= kernel=\(Self.kernelVersion)"
            + observer
    }

    /// SHA-256 of a key, hexadecimal: for names of files.
    static func digest(of key: String) -> String {
        let hash = SHA256()
        hash.update(key.utf8)
        return hash.hexadecimal()
    }

    /// The key of what is known about a model's weights, whatever the text.
    static func weightsKey(model: Model) -> String { "model=\(model.digest) weights kernel=\(kernelVersion)" }

    /// The key of scores of choices that are refined on `text`.
    func refinedKey(_ text: TokenSequences) -> String {
        "\(key) refinement=\(text.digest) tokens=\(text.count) shares=\(Self.sharesVersion)"
    }

    /// The key of measurements of whole plans on `text`, run in `mode`. Calibration and seed are in it, for they decide the
    /// importances that plans are packed with.
    func evaluationKey(_ text: EvaluationText, mode: String) -> String {
        "\(key) evaluation=\(text.digest) context=\(text.context) chunks=\(text.chunks.count) mode=\(mode)"
    }

    /// The key of what a source says on a chunk of text, whichever texts it is part of.
    static func sourceKey(model: Model, chunk: TokenSequences) -> String {
        "model=\(model.digest) source chunk=\(chunk.digest) kernel=\(kernelVersion)"
    }

    /// The key of text that a model wrote itself.
    static func textKey(model: Model, seed: UInt64, length: Int) -> String {
        "model=\(model.digest) text seed=\(seed) length=\(length) kernel=\(kernelVersion)"
    }
}
