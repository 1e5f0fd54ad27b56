internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Tuning

/// What a layer takes beside its products: norms, quantization, gates and barriers, attention, and what narrow matrices lose
/// against those that a profile's rates are of. From whole runs of models of no particular weights, less the time that
/// their products would take at these rates: decoding one that no cache holds, since processors read on while they wait for each
/// other, and prompts of one that the caches hold.
///
/// All are differences of times, and a virtual machine's speed changes from one second to the next: each round therefore
/// measures everything once, its differences are its own, and the medians over the rounds count.
struct LayerRates {
    /// Seconds of a layer 1024 wide, for a decoded token and for each token of a prompt.
    let decode: Double
    let prefill: Double
    /// Operations per second of attention over a prompt, a multiply-add being two, by the format of the KV cache.
    let attention: [KVFormat: Double]

    /// A Llama-like model as narrow as small ones are; what a layer takes grows with the width.
    private static func configuration(layers: Int, context: Int) -> ModelConfiguration {
        ModelConfiguration(
            architecture: .llama, vocabulary: 256, width: 576, feedForward: 1536, layers: layers, heads: 9,
            keyValueHeads: 3, headWidth: 64, context: context, normEpsilon: 1e-5, rotaryBase: 10_000,
            rotaryPairing: .adjacent, tiedEmbedding: true)
    }

    private static let spec = Spec(.grid(GridFormat(.uniform, bits: 4, .group(32))))
    private static let shortPrompt = RuntimeMemory.defaultPrefillChunk
    private static let longPrompt = 10 * shortPrompt
    private static let decoded = 32
    private static let decodedLayers = 56
    private static let promptLayers = 8
    private static let rounds = 3

    /// Measures for a few seconds.
    init(pool: ThreadPool) throws {
        let deep = try Self.models(layers: Self.decodedLayers, context: Self.decoded, kv: [.int8], pool: pool)[0]
        let models = try Self.models(
            layers: Self.promptLayers, context: Self.longPrompt, kv: KVFormat.allCases, pool: pool)
        let wide = try MeasuredProfile.matrices(of: Self.spec, pool: pool)
        let c = models[0].configuration
        let bytes = ModelWork(model: deep).bytes(perTokenAt: Self.decoded / 2)
        let perPair = Double(4 * c.layers * c.heads * c.headWidth)
        let pairs = Double(Self.shortPrompt + 1) / 2
        let operations =
            ModelWork(model: models[0]).operations(prompt: Self.shortPrompt) / Double(Self.shortPrompt) - perPair
            * pairs

        var decode: [Double] = []
        var prefill: [Double] = []
        var pair: [KVFormat: [Double]] = [:]
        for round in 0...Self.rounds {
            let products = try ProductRates(of: wide, repeats: 1, pool: pool)
            let token = try Self.seconds(of: deep, prompt: Self.decoded, isDecoded: true) / Double(Self.decoded)
            // The first round warms up.
            if round > 0 { decode.append((token - bytes / products.decode) / Self.units(deep)) }
            for model in models {
                // A token takes its products, what lies between them, and attention to those before it: a + b (n + 1) / 2 on
                // average.
                let short = try Self.seconds(of: model, prompt: Self.shortPrompt) / Double(Self.shortPrompt)
                let long = try Self.seconds(of: model, prompt: Self.longPrompt) / Double(Self.longPrompt)
                let each = 2 * (long - short) / Double(Self.longPrompt - Self.shortPrompt)
                guard round > 0 else { continue }
                pair[model.kv, default: []].append(each)
                prefill.append((short - each * pairs - operations / products.prefill) / Self.units(model))
            }
        }
        self.decode = max(0, Stopwatch.median(decode))
        self.prefill = max(0, Stopwatch.median(prefill))
        attention = pair.mapValues { perPair / max(1e-12, Stopwatch.median($0)) }
    }

    /// A model's layers, counted in such as a profile's overhead is of.
    private static func units(_ model: IntegerModel) -> Double {
        Double(model.configuration.layers) * Double(model.configuration.width) / CostModel.overheadWidth
    }

    /// Models of the same weights, of no particular numbers, with different KV caches.
    private static func models(
        layers: Int, context: Int, kv: [KVFormat], pool: ThreadPool
    ) throws -> [IntegerModel] {
        let configuration = configuration(layers: layers, context: context)
        let tensors = TensorName.all(of: configuration).compactMap { name in
            TensorName.shape(of: name, in: configuration).map { (name: name, shape: $0) }
        }
        let packed = tensors.filter { $0.shape.rows > 1 }
        let matrices = try MeasuredProfile.matrices(of: spec, shapes: packed.map(\.shape), pool: pool)
        var weights = RuntimeWeights(matrices: [:], norms: [:])
        for (tensor, matrix) in zip(packed, matrices) { weights.matrices[tensor.name] = matrix }
        for tensor in tensors where tensor.shape.rows == 1 {
            weights.norms[tensor.name] = [Float](repeating: 1, count: tensor.shape.columns)
        }
        return try kv.map {
            try IntegerModel(
                configuration: configuration, weights: weights, kv: $0, context: context, prefillChunk: shortPrompt,
                pool: pool)
        }
    }

    /// The time of a prompt, at once or token by token.
    private static func seconds(of model: IntegerModel, prompt: Int, isDecoded: Bool = false) throws -> Double {
        let tokens = (0..<prompt).map { Int32($0 * 7919 % model.configuration.vocabulary) }
        let cache = try model.makeCache()
        let steps = isDecoded ? tokens.map { [$0] } : [tokens]
        return try Stopwatch.seconds {
            for step in steps { try model.forward(tokens: step, cache: cache, logits: .last) }
        }
    }
}
