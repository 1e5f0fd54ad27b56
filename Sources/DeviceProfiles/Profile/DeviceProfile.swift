/// One device: what its arithmetic can do, what it holds, and the goals that a bundle for it must meet.
///
/// Every quantity is in base units: bytes, seconds, joules, watts, operations per second, bytes per second. An absent goal
/// is no constraint; an absent capability list allows everything that the runtime has; an absent cost parameter makes its
/// term zero.
package struct DeviceProfile: Sendable, Equatable {
    package var name: String
    package var description: String
    package var runtime: TargetRuntime
    package var compute: ComputeCapability
    package var memory: MemoryLimits
    package var latency: LatencyGoals
    package var energy: EnergyModel
    package var quality: QualityGoal
    package var prefer: Preference
    /// A text file to calibrate on, as written in the profile.
    package var calibration: String?
    /// Measured rates of single formats on the device itself.
    package var kernels: [KernelRate]
    /// Where each value is written, by key path such as `memory.budget`; values by default have no place.
    package var places: [String: Place]

    /// A profile without goals that allows everything, but for what is given.
    package init(
        name: String, description: String = "", runtime: TargetRuntime = .fettle,
        compute: ComputeCapability = ComputeCapability(), memory: MemoryLimits = MemoryLimits(),
        latency: LatencyGoals = LatencyGoals(), energy: EnergyModel = EnergyModel(),
        quality: QualityGoal = QualityGoal(), prefer: Preference = .quality, calibration: String? = nil,
        kernels: [KernelRate] = [], places: [String: Place] = [:]
    ) {
        self.name = name
        self.description = description
        self.runtime = runtime
        self.compute = compute
        self.memory = memory
        self.latency = latency
        self.energy = energy
        self.quality = quality
        self.prefer = prefer
        self.calibration = calibration
        self.kernels = kernels
        self.places = places
    }

    /// The calibration file's path: a relative one starts at the directory of the profile that names it.
    package var calibrationPath: String? {
        guard let calibration, !calibration.hasPrefix("/"), let file = places["calibration"]?.file else {
            return calibration
        }
        return ProfileSource.join(ProfileSource.directory(of: file), calibration)
    }
}

/// Which program runs the bundle on the device.
package enum TargetRuntime: String, Sendable, CaseIterable {
    case fettle
    case llamaCpp = "llama.cpp"
}

/// What is optimised once every goal is met.
package enum Preference: String, Sendable, CaseIterable {
    case quality, latency, memory, energy
}

/// The arithmetic of a device.
package struct ComputeCapability: Sendable, Equatable {
    package enum FloatSupport: String, Sendable, CaseIterable { case none, fp16, fp32 }
    package enum Dot: String, Sendable, CaseIterable { case none, sdot, i8mm, vnni, avx2 }
    package enum WeightGranularity: String, Sendable, CaseIterable { case tensor, channel, group }
    package enum ActivationGranularity: String, Sendable, CaseIterable { case tensor, token, group }
    package enum Technique: String, Sendable, CaseIterable { case `static`, dynamic, qat }

    package var cores: Int?
    package var float: FloatSupport
    package var dot: Dot?
    /// Bits of the integer accumulator.
    package var accumulator: Int
    /// Weight bit widths that the device can unpack; nil allows all.
    package var weights: Set<Int>?
    package var granularity: Set<WeightGranularity>?
    /// Group sizes of weights; nil allows all.
    package var groups: Set<Int>?
    /// Activation bit widths; nil allows all.
    package var activations: Set<Int>?
    package var activationGranularity: Set<ActivationGranularity>
    package var zeroPoint: Bool
    package var codebook: Bool
    package var shift: Bool
    package var techniques: Set<Technique>
    /// Operations per second (a multiply-add is two); nil where the profile does not say.
    package var int8Throughput: Double?
    package var int16Throughput: Double?
    package var floatThroughput: Double?
    /// Operations per second of attention (a multiply-add is two) by the format of the KV cache, where the device was measured.
    package var attention: [String: Double]
    /// Seconds that a layer 1024 wide takes beside products and attention, for a decoded token and for each token of a prompt.
    package var decodeOverhead: Double?
    package var prefillOverhead: Double?

    /// Formats of KV caches that `attention` may have.
    package static let caches = ["f16", "int8", "int4"]

    /// Absent but for what is given.
    package init(
        cores: Int? = nil, float: FloatSupport = .fp32, dot: Dot? = nil, accumulator: Int = 32,
        weights: Set<Int>? = nil, granularity: Set<WeightGranularity>? = nil, groups: Set<Int>? = nil,
        activations: Set<Int>? = nil, activationGranularity: Set<ActivationGranularity> = [.token, .group],
        zeroPoint: Bool = true, codebook: Bool = true, shift: Bool = true,
        techniques: Set<Technique> = Set(Technique.allCases), int8Throughput: Double? = nil,
        int16Throughput: Double? = nil, floatThroughput: Double? = nil, attention: [String: Double] = [:],
        decodeOverhead: Double? = nil, prefillOverhead: Double? = nil
    ) {
        self.cores = cores
        self.float = float
        self.dot = dot
        self.accumulator = accumulator
        self.weights = weights
        self.granularity = granularity
        self.groups = groups
        self.activations = activations
        self.activationGranularity = activationGranularity
        self.zeroPoint = zeroPoint
        self.codebook = codebook
        self.shift = shift
        self.techniques = techniques
        self.int8Throughput = int8Throughput
        self.int16Throughput = int16Throughput
        self.floatThroughput = floatThroughput
        self.attention = attention
        self.decodeOverhead = decodeOverhead
        self.prefillOverhead = prefillOverhead
    }
}

/// What a device can hold.
package struct MemoryLimits: Sendable, Equatable {
    /// Bytes that the model may add to a process: weights, KV cache, activation arena, tokenizer.
    package var budget: Int?
    /// Bytes taken off the budget for program and system.
    package var runtime: Int
    /// Bytes that the weights file may have.
    package var storage: Int?
    /// Bytes per second.
    package var bandwidth: Double?
    /// Tokens of context that the KV cache must hold; nil means the model's own.
    package var context: Int?

    /// Absent but for what is given.
    package init(
        budget: Int? = nil, runtime: Int = 0, storage: Int? = nil, bandwidth: Double? = nil, context: Int? = nil
    ) {
        self.budget = budget
        self.runtime = runtime
        self.storage = storage
        self.bandwidth = bandwidth
        self.context = context
    }
}

/// Time goals.
package struct LatencyGoals: Sendable, Equatable {
    /// Tokens in the prompt whose prefill time is limited.
    package var prefillTokens: Int?
    /// Seconds to the first token.
    package var prefillGoal: Double?
    /// Seconds per decoded token.
    package var decodeGoal: Double?
    /// The context position at which a decoded token is timed.
    package var decodeAt: Int?

    /// Absent but for what is given.
    package init(
        prefillTokens: Int? = nil, prefillGoal: Double? = nil, decodeGoal: Double? = nil, decodeAt: Int? = nil
    ) {
        self.prefillTokens = prefillTokens
        self.prefillGoal = prefillGoal
        self.decodeGoal = decodeGoal
        self.decodeAt = decodeAt
    }
}

/// Energy goal and the constants of the energy model.
package struct EnergyModel: Sendable, Equatable {
    /// Joules per decoded token.
    package var goal: Double?
    /// Watts at rest.
    package var idle: Double?
    /// Joules per bit moved from memory.
    package var dram: Double?
    /// Joules per multiply-add.
    package var int8MAC: Double?
    package var int16MAC: Double?
    package var floatMAC: Double?

    /// Absent but for what is given.
    package init(
        goal: Double? = nil, idle: Double? = nil, dram: Double? = nil, int8MAC: Double? = nil, int16MAC: Double? = nil,
        floatMAC: Double? = nil
    ) {
        self.goal = goal
        self.idle = idle
        self.dram = dram
        self.int8MAC = int8MAC
        self.int16MAC = int16MAC
        self.floatMAC = floatMAC
    }
}

/// The quality that a bundle must keep.
package struct QualityGoal: Sendable, Equatable {
    package enum Metric: String, Sendable, CaseIterable { case kl, perplexity, top1 }
    package var metric: Metric
    /// kl: nats per token; perplexity: relative increase; top1: agreement, 0...1. Nil is no goal.
    package var goal: Double?

    /// Absent but for what is given.
    package init(
        metric: Metric = .kl, goal: Double? = nil
    ) {
        self.metric = metric
        self.goal = goal
    }
}

/// A measured row of the profile's `kernels:` table.
package struct KernelRate: Sendable, Equatable {
    package var format: String
    package var activation: String
    /// Packed bytes per second while decoding, with `streamedBytes` of weights: more than caches hold.
    package var decode: Double
    /// The same with `partlyCachedBytes`, of which caches may hold a good part from one token to the next; nil where it is not known.
    package var cachedDecode: Double?
    /// Operations per second in prefill.
    package var prefill: Double

    /// The bytes of weights that rates are measured with.
    package static let streamedBytes = 106_000_000
    package static let partlyCachedBytes = 40_000_000

    /// One row.
    package init(
        format: String, activation: String, decode: Double, cachedDecode: Double? = nil, prefill: Double
    ) {
        self.format = format
        self.activation = activation
        self.decode = decode
        self.cachedDecode = cachedDecode
        self.prefill = prefill
    }

    /// Packed bytes per second while decoding where a token reads `weights` bytes in all: the time of all of them lies on a straight
    /// line between the two that are measured.
    package func decode(of weights: Double) -> Double {
        let (small, large) = (Double(Self.partlyCachedBytes), Double(Self.streamedBytes))
        guard let cachedDecode, cachedDecode > decode, weights < large else { return decode }
        guard weights > small else { return cachedDecode }
        let share = (weights - small) / (large - small)
        return weights / (small / cachedDecode * (1 - share) + large / decode * share)
    }
}
