internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Tuning

/// What a layer takes beside its products: norms, quantization, gates and barriers, attention, and in a prompt what narrow
/// matrices lose against the wide ones that a profile's rates are of. From whole runs of a small model that stays in the
/// caches, less the time of its products.
///
/// All are differences of times, and a virtual machine's speed changes from one second to the next: each round therefore
/// measures everything once, its differences are its own, and the medians over the rounds count.
struct LayerRates {
    /// Seconds of a layer 1024 wide, for a decoded token and for each token of a prompt.
    let decode: Double
    let prefill: Double
    /// Operations per second of attention over a prompt, a multiply-add being two, by the format of the KV cache.
    let attention: [KVFormat: Double]

    /// A Llama-like model as narrow as small ones are; what it takes grows with the width.
    private static let configuration = ModelConfiguration(
        architecture: .llama, vocabulary: 256, width: 768, feedForward: 2048, layers: 2, heads: 12, keyValueHeads: 4,
        headWidth: 64, context: longPrompt, normEpsilon: 1e-5, rotaryBase: 10_000, rotaryPairing: .adjacent,
        tiedEmbedding: true)
    private static let spec = Spec(.grid(GridFormat(.uniform, bits: 4, .group(32))))
    private static let shortPrompt = RuntimeMemory.defaultPrefillChunk
    private static let longPrompt = 10 * shortPrompt
    private static let decoded = 64
    private static let rounds = 3

    /// Measures for about a second.
    init(pool: ThreadPool) throws {
        let c = Self.configuration
        let weights = try Self.weights(pool: pool)
        let models = try KVFormat.allCases.map { kv in
            try IntegerModel(
                configuration: c, weights: weights, kv: kv, context: c.context, prefillChunk: Self.shortPrompt,
                pool: pool)
        }
        let narrow = Array(weights.matrices.values)
        let wide = try MeasuredProfile.matrices(of: Self.spec, pool: pool)
        let layers = Double(c.layers) * Double(c.width) / CostModel.overheadWidth
        let perPair = Double(4 * c.layers * c.heads * c.headWidth)
        let pairs = Double(Self.shortPrompt + 1) / 2
        let operations =
            ModelWork(model: models[0]).operations(prompt: Self.shortPrompt) / Double(Self.shortPrompt) - perPair
            * pairs

        var decode: [Double] = []
        var prefill: [Double] = []
        var pair: [KVFormat: [Double]] = [:]
        for round in 0...Self.rounds {
            let products = try ProductRates(of: narrow, repeats: 15, pool: pool)
            let token = try Self.seconds(of: models[0], prompt: Self.decoded, isDecoded: true) / Double(Self.decoded)
            let wideProducts = try ProductRates(of: wide, repeats: 1, pool: pool)
            for model in models {
                // A token takes its products, what lies between them, and attention to those before it: a + b (n + 1) / 2 on
                // average.
                let short = try Self.seconds(of: model, prompt: Self.shortPrompt) / Double(Self.shortPrompt)
                let long = try Self.seconds(of: model, prompt: Self.longPrompt) / Double(Self.longPrompt)
                let each = 2 * (long - short) / Double(Self.longPrompt - Self.shortPrompt)
                guard round > 0 else { continue }  // the first warms up
                pair[model.kv, default: []].append(each)
                prefill.append((short - each * pairs - operations / wideProducts.prefill) / layers)
            }
            if round > 0 { decode.append((token - Double(weights.packedBytes) / products.decode) / layers) }
        }
        self.decode = max(0, Stopwatch.median(decode))
        self.prefill = max(0, Stopwatch.median(prefill))
        attention = pair.mapValues { perPair / max(1e-12, Stopwatch.median($0)) }
    }

    /// Weights of no particular numbers.
    private static func weights(pool: ThreadPool) throws -> RuntimeWeights {
        var weights = RuntimeWeights(matrices: [:], norms: [:])
        for name in TensorName.all(of: configuration) {
            guard let shape = TensorName.shape(of: name, in: configuration) else { continue }
            if shape.rows == 1 {
                weights.norms[name] = [Float](repeating: 1, count: shape.columns)
            } else {
                weights.matrices[name] = try MeasuredProfile.matrices(
                    of: spec, rows: shape.rows, columns: shape.columns, count: 1, pool: pool)[0]
            }
        }
        return weights
    }

    /// The time of a prompt, at once or token by token.
    private static func seconds(of model: IntegerModel, prompt: Int, isDecoded: Bool = false) throws -> Double {
        let tokens = (0..<prompt).map { Int32($0 * 7919 % configuration.vocabulary) }
        let cache = try model.makeCache()
        let steps = isDecoded ? tokens.map { [$0] } : [tokens]
        return try Stopwatch.seconds {
            for step in steps { try model.forward(tokens: step, cache: cache, logits: .last) }
        }
    }
}
