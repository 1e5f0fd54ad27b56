internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Tuning

/// What a layer takes beside its products: norms, quantization, gates and barriers, and attention. From whole runs of a small
/// model that stays in the caches, less the time of its products alone.
struct LayerRates {
    /// Seconds of a layer 1024 wide, for a decoded token and for each token of a prompt.
    let decode: Double
    let prefill: Double
    /// Operations per second of attention over a prompt, a multiply-add being two.
    let attention: Double

    /// A Llama-like model as narrow as small ones are; what it takes grows with the width.
    private static let configuration = ModelConfiguration(
        architecture: .llama, vocabulary: 256, width: 768, feedForward: 2048, layers: 2, heads: 12, keyValueHeads: 4,
        headWidth: 64, context: longPrompt, normEpsilon: 1e-5, rotaryBase: 10_000, rotaryPairing: .adjacent,
        tiedEmbedding: true)
    private static let spec = Spec(.grid(GridFormat(.uniform, bits: 4, .group(32))))
    private static let shortPrompt = RuntimeMemory.defaultPrefillChunk
    private static let longPrompt = 10 * shortPrompt
    private static let decoded = 64
    private static let repeats = 9

    /// Measures for a second or two.
    init(pool: ThreadPool) throws {
        let c = Self.configuration
        var weights = RuntimeWeights(matrices: [:], norms: [:])
        for name in TensorName.all(of: c) {
            guard let shape = TensorName.shape(of: name, in: c) else { continue }
            if shape.rows == 1 {
                weights.norms[name] = [Float](repeating: 1, count: shape.columns)
            } else {
                weights.matrices[name] = try MeasuredProfile.matrices(
                    of: Self.spec, rows: shape.rows, columns: shape.columns, count: 1, pool: pool)[0]
            }
        }
        let model = try IntegerModel(
            configuration: c, weights: weights, kv: .int8, context: c.context, prefillChunk: Self.shortPrompt,
            pool: pool)
        let products = try ProductRates(of: Array(weights.matrices.values), repeats: Self.repeats, pool: pool)
        let layers = Double(c.layers) * Double(c.width) / CostModel.overheadWidth

        let token = try Self.seconds(of: model, prompt: Self.decoded, isDecoded: true) / Double(Self.decoded)
        decode = max(0, token - Double(weights.packedBytes) / products.decode) / layers

        // A token takes its products, what lies between them, and attention to those before it: a + b (n + 1) / 2 on average.
        let short = try Self.seconds(of: model, prompt: Self.shortPrompt) / Double(Self.shortPrompt)
        let long = try Self.seconds(of: model, prompt: Self.longPrompt) / Double(Self.longPrompt)
        let pair = max(1e-12, 2 * (long - short) / Double(Self.longPrompt - Self.shortPrompt))
        attention = Double(4 * c.layers * c.heads * c.headWidth) / pair
        let work = ModelWork(model: model)
        let operations =
            work.operations(prompt: Self.shortPrompt) / Double(Self.shortPrompt)
            - Double(4 * c.layers * c.heads * c.headWidth) * Double(Self.shortPrompt + 1) / 2
        let rest = short - pair * Double(Self.shortPrompt + 1) / 2 - operations / products.prefill
        prefill = max(0, rest) / layers
    }

    /// The median time of a prompt, at once or token by token.
    private static func seconds(of model: IntegerModel, prompt: Int, isDecoded: Bool = false) throws -> Double {
        let tokens = (0..<prompt).map { Int32($0 * 7919 % configuration.vocabulary) }
        let cache = try model.makeCache()
        let steps = isDecoded ? tokens.map { [$0] } : [tokens]
        let all = try (0...repeats).map { _ in
            cache.truncate(to: 0)
            return try Stopwatch.seconds {
                for step in steps { try model.forward(tokens: step, cache: cache, logits: .last) }
            }
        }
        return Stopwatch.median(Array(all.dropFirst()))
    }
}
