internal import Bundles
internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization

/// Anything that the integer runtime can run: a bundle in its own mode, or a model file as it is.
struct RunnableModel {
    let configuration: ModelConfiguration
    let tokenizer: Tokenizer
    /// Execution mode, as `eval` prints it.
    let mode: String
    private let pool: ThreadPool
    private let source: Source

    private enum Source {
        case bundle(BundleDirectory)
        case model(Model)
    }

    /// Opens the bundle or model at `path`.
    init(path: String, pool: ThreadPool) throws {
        self.pool = pool
        if BundleDirectory.isBundle(path) {
            let bundle = try BundleDirectory(path: path)
            source = .bundle(bundle)
            configuration = bundle.configuration
            tokenizer = bundle.tokenizer
            mode = bundle.mode
        } else {
            let model = try Model.open(path)
            source = .model(model)
            configuration = model.configuration
            tokenizer = model.tokenizer
            mode = model.isQuantized ? "llama.cpp" : "dynamic"
        }
    }

    /// A model file with every matrix in one format and an int8 cache: what a bundle of that format would be, without its
    /// refinements. Nil for a bundle and for formats that are not grids.
    func uniform(_ spec: Spec, context: Int) throws -> IntegerModel? {
        guard case .model(let model) = source, case .grid(let format) = spec.format else { return nil }
        return try IntegerModel(
            configuration: configuration,
            weights: try RuntimeWeights(model: model, uniform: format, activation: spec.activation, pool: pool),
            kv: .int8, context: context, pool: pool)
    }

    /// The model ready to run, with room for `context` positions. A model file keeps its cache in half precision, as
    /// llama.cpp does.
    func model(context: Int) throws -> IntegerModel {
        switch source {
        case .bundle(let bundle): return try bundle.model(context: context, pool: pool)
        case .model(let model):
            return try IntegerModel(
                configuration: configuration, weights: try RuntimeWeights(model: model, pool: pool), kv: .float16,
                context: context, pool: pool)
        }
    }
}
