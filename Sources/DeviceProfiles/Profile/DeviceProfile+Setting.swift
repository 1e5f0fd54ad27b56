extension DeviceProfile {
    /// The profile that merged settings describe; defaults are filled in.
    ///
    /// - Throws: `impossible` for settings that contradict each other.
    init(_ setting: Setting) throws(ProfileError) {
        try Combinations(setting).check()
        name = setting["name"]?.text ?? ""
        description = setting["description"]?.text ?? ""
        runtime = setting["runtime"]?.word(as: TargetRuntime.self) ?? .fettle
        compute = ComputeCapability(setting)
        memory = MemoryLimits(
            budget: setting["memory.budget"]?.integer, runtime: setting["memory.runtime"]?.integer ?? 0,
            storage: setting["memory.storage"]?.integer, bandwidth: setting["memory.bandwidth"]?.real,
            context: setting["memory.context"]?.integer)
        latency = LatencyGoals(
            prefillTokens: setting["latency.prefill.tokens"]?.integer,
            prefillGoal: setting["latency.prefill.goal"]?.real,
            decodeGoal: setting["latency.decode.goal"]?.real, decodeAt: setting["latency.decode.at"]?.integer)
        let int8MAC = setting["energy.int8-mac"]?.real
        energy = EnergyModel(
            goal: setting["energy.goal"]?.real, idle: setting["energy.idle"]?.real, dram: setting["energy.dram"]?.real,
            int8MAC: int8MAC, int16MAC: setting["energy.int16-mac"]?.real ?? int8MAC.map { 4 * $0 },
            floatMAC: setting["energy.float-mac"]?.real)
        quality = QualityGoal(
            metric: setting["quality.metric"]?.word(as: QualityGoal.Metric.self) ?? .kl,
            goal: setting["quality.goal"]?.real)
        prefer = setting["prefer"]?.word(as: Preference.self) ?? .quality
        calibration = setting["calibration"]?.text
        kernels = (setting["kernels"]?.items ?? []).map(KernelRate.init)
        places = setting.places
    }
}

extension ComputeCapability {
    fileprivate init(_ setting: Setting) {
        func integers(_ key: String) -> Set<Int>? {
            setting["compute.integer.\(key)"].map { Set($0.items.compactMap(\.integer)) }
        }
        func words<Word: RawRepresentable & Hashable>(_ key: String, as type: Word.Type) -> Set<Word>?
        where Word.RawValue == String {
            setting["compute.integer.\(key)"].map { Set($0.items.compactMap { $0.word(as: type) }) }
        }
        func flag(_ key: String) -> Bool { setting["compute.integer.\(key)"]?.flag ?? true }
        self.init(
            cores: setting["compute.cores"]?.integer,
            float: setting["compute.float"]?.word(as: FloatSupport.self) ?? .fp32,
            dot: setting["compute.integer.dot"]?.word(as: Dot.self),
            accumulator: setting["compute.integer.accumulator"]?.integer ?? 32,
            weights: integers("weights"), granularity: words("granularity", as: WeightGranularity.self),
            groups: integers("groups"), activations: integers("activations"),
            activationGranularity: words("activation-granularity", as: ActivationGranularity.self) ?? [.token, .group],
            zeroPoint: flag("zero-point"), codebook: flag("codebook"), shift: flag("shift"),
            techniques: words("techniques", as: Technique.self) ?? Set(Technique.allCases),
            int8Throughput: setting["compute.throughput.int8"]?.real,
            int16Throughput: setting["compute.throughput.int16"]?.real,
            floatThroughput: setting["compute.throughput.float"]?.real,
            attention: Self.attention(setting),
            decodeOverhead: setting["compute.overhead.decode"]?.real,
            prefillOverhead: setting["compute.overhead.prefill"]?.real)
    }

    private static func attention(_ setting: Setting) -> [String: Double] {
        var rates: [String: Double] = [:]
        for cache in caches { rates[cache] = setting["compute.attention.\(cache)"]?.real }
        return rates
    }
}

extension KernelRate {
    fileprivate init(_ setting: Setting) {
        self.init(
            format: setting["format"]?.text ?? "", activation: setting["activation"]?.text ?? "",
            decode: setting["decode"]?.real ?? 0,
            cachedDecode: setting["cached-decode"]?.real, prefill: setting["prefill"]?.real ?? 0)
    }
}
