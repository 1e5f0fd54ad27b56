package import DeviceProfiles
internal import IntegerRuntime
package import ModelFiles
internal import Quantization

/// What choices cost on a device (design.md, section 6):
///
///     decode  = max(packed bytes / bandwidth, 2 * weights / throughput of the activation)
///     prefill = max(packed bytes / bandwidth, 2 * weights * tokens / throughput); the head counts for one token
///     energy  = idle * time + dram * bits moved + mac energy * weights
///
/// A measured kernel's rates take the place of bandwidth and throughput; its bandwidth is that of as many weights as the profile has
/// room for, since caches hold a good part of few. A parameter that the profile does not give makes its term 0. Decode, prefill and
/// idle energy of all plans have `fixedTime` more.
package struct CostModel: Sendable {
    package let profile: DeviceProfile
    package let configuration: ModelConfiguration
    /// Positions of the KV cache: the profile's context, at most the model's.
    package let context: Int
    /// Threads that the arena is counted for.
    package let threads: Int
    private let tokenizerBytes: Int
    /// Bytes of memory that the profile leaves for weights.
    private var weightRoom = Double.infinity

    /// Tokens of a prompt where the profile does not say.
    private static let usualPrompt = 256
    /// What the manifest, Swift's metadata and the allocator's slack take once a bundle is loaded: 0.25 MB more than the rest
    /// of the sum on a model of 2.6M parameters, where all of the rest is in use; larger ones leave more untouched.
    private static let processBytes = 384 << 10

    /// A model of costs; `tokenizerBytes` is what the tokenizer's tables take in memory.
    package init(profile: DeviceProfile, configuration: ModelConfiguration, tokenizerBytes: Int) {
        self.profile = profile
        self.configuration = configuration
        self.tokenizerBytes = tokenizerBytes
        context = min(profile.memory.context ?? configuration.context, configuration.context)
        threads = profile.compute.cores ?? 2
        if let budget = profile.memory.budget {
            weightRoom = Double(budget - profile.memory.runtime - fixedResidentBytes)
        }
    }

    /// Tokens of the prompt whose prefill is timed.
    package var promptTokens: Int { min(profile.latency.prefillTokens ?? Self.usualPrompt, context) }
    /// The context position at which a decoded token is timed.
    package var decodePosition: Int { min(profile.latency.decodeAt ?? context / 2, context) }

    /// The costs of a choice for a group, sensitivity apart.
    package func costs(of choice: Choice, for group: ChoiceGroup) -> Costs {
        let bytes = group.tensors.reduce(0) { $0 + choice.format.packedBytes(rows: $1.rows, columns: $1.columns) }
        let stored = group.tensors.reduce(0) {
            $0 + aligned(choice.format.storedBytes(rows: $1.rows, columns: $1.columns))
        }
        let rate = profile.kernels.first {
            $0.format == choice.format.resident.description && $0.activation == choice.activation.rawValue
        }
        let bandwidth = rate?.decode(of: mostWeights(like: bytes, stored: stored)) ?? profile.memory.bandwidth
        let throughput = rate?.prefill ?? throughput(of: choice.activation)
        var costs = Costs(resident: Double(bytes), stored: Double(stored))
        guard group.role != .embedding else { return costs }
        let operations = 2 * Double(group.weights)
        let read = time(Double(bytes), at: bandwidth)
        let tokens = group.role.isHead ? 1 : promptTokens
        costs.decode = max(read, time(operations, at: throughput))
        costs.prefill = max(read, time(operations * Double(tokens), at: throughput))
        costs.energy = energy(
            seconds: costs.decode, bytes: Double(bytes), products: Double(group.weights), activation: choice.activation)
        return costs
    }

    /// The most bytes that weights may take in memory where all take as much more there than in the file as these.
    private func mostWeights(like bytes: Int, stored: Int) -> Double {
        let storage = profile.memory.storage.map { Double($0) * Double(bytes) / Double(max(1, stored)) }
        return min(storage ?? .infinity, weightRoom)
    }

    /// The costs of a KV cache format: its bytes, and the attention that reads them. Sensitivity apart.
    package func costs(ofCache format: String) -> Costs {
        let c = configuration
        let bytes = cacheBytes(format)
        let perPosition = Double(bytes) / Double(max(1, context))
        // Scores and weighted values: two multiply-adds for each position, head and element.
        let products = 2 * Double(c.layers * c.heads * c.headWidth)
        let moved = perPosition * Double(decodePosition)
        var costs = Costs(resident: Double(bytes))
        let throughput = profile.compute.attention[format] ?? profile.compute.floatThroughput
        costs.decode = max(
            time(moved, at: profile.memory.bandwidth), time(2 * products * Double(decodePosition), at: throughput))
        let pairs = Double(promptTokens) * Double(promptTokens + 1) / 2
        costs.prefill = max(
            time(perPosition * Double(promptTokens), at: profile.memory.bandwidth),
            time(2 * products * pairs, at: throughput))
        costs.energy = energy(
            seconds: costs.decode, bytes: moved, products: products * Double(decodePosition), activation: .float)
        return costs
    }

    /// What every plan takes in time beside products and attention, with its energy at rest; the width decides how much is
    /// normalized, quantized and gated.
    package var fixedTime: Costs {
        let layers = Double(configuration.layers) * Double(configuration.width) / Self.overheadWidth
        var costs = Costs()
        costs.decode = layers * (profile.compute.decodeOverhead ?? 0)
        costs.prefill = layers * Double(promptTokens) * (profile.compute.prefillOverhead ?? 0)
        costs.energy = (profile.energy.idle ?? 0) * costs.decode
        return costs
    }

    /// The width of the layer that a profile's `compute.overhead` is of.
    package static let overheadWidth = 1024.0

    /// What every plan takes in memory beside packed weights and KV cache.
    package var fixedResidentBytes: Int {
        switch profile.runtime {
        case .fettle:
            let memory = RuntimeMemory(
                configuration: configuration, kv: .float16, context: context, threads: threads,
                mode: ExecutionMode(profile) ?? .dynamic)
            let norms = (2 * configuration.layers + 1) * configuration.width * MemoryLayout<Float>.stride
            return memory.bytes - memory.cacheBytes + tokenizerBytes + norms + Self.processBytes
        case .llamaCpp:
            return LlamaCppMemory(configuration: configuration, context: context).fixedBytes + tokenizerBytes
        }
    }

    private func cacheBytes(_ format: String) -> Int {
        switch profile.runtime {
        case .fettle:
            guard let kv = KVFormat(rawValue: format) else { return 0 }
            return RuntimeMemory(configuration: configuration, kv: kv, context: context, threads: threads).cacheBytes
        case .llamaCpp:
            return LlamaCppMemory(configuration: configuration, context: context).cacheBytes(format)
        }
    }

    /// Bytes that a tensor takes up in the weights file: GGUF aligns tensors to 32 bytes, other matrices are whole cache lines.
    private func aligned(_ bytes: Int) -> Int {
        profile.runtime == .llamaCpp ? (bytes + 31) / 32 * 32 : bytes
    }

    private func throughput(of activation: Activation) -> Double? {
        switch activation {
        case .float: profile.compute.floatThroughput
        case .int16: profile.compute.int16Throughput ?? profile.compute.int8Throughput.map { $0 / 2 }
        default: profile.compute.int8Throughput
        }
    }

    private func energy(seconds: Double, bytes: Double, products: Double, activation: Activation) -> Double {
        let energy = profile.energy
        let product: Double? =
            switch activation {
            case .float: energy.floatMAC
            case .int16: energy.int16MAC ?? energy.int8MAC.map { 4 * $0 }
            default: energy.int8MAC
            }
        return (energy.idle ?? 0) * seconds + (energy.dram ?? 0) * 8 * bytes + (product ?? 0) * products
    }

    private func time(_ amount: Double, at rate: Double?) -> Double { rate.map { amount / $0 } ?? 0 }

    /// Cost parameters that the profile does not give, by their key paths; their terms are 0.
    package var missingParameters: [String] {
        let compute = profile.compute
        let parameters: [(String, Double?)] = [
            ("memory.bandwidth", profile.memory.bandwidth), ("compute.throughput.int8", compute.int8Throughput),
            ("compute.throughput.float", compute.floatThroughput), ("energy.idle", profile.energy.idle),
            ("energy.dram", profile.energy.dram), ("energy.int8-mac", profile.energy.int8MAC),
            ("energy.float-mac", profile.energy.floatMAC),
        ]
        return parameters.filter { $0.1 == nil }.map(\.0)
    }
}
