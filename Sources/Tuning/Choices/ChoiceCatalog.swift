package import DeviceProfiles
internal import IntegerRuntime
package import ModelFiles
package import Quantization

/// The choices that a profile, a model's shapes and the command line leave for every group.
package struct ChoiceCatalog: Sendable, Equatable {
    /// Groups in order of execution, each with at least one choice.
    package private(set) var groups: [ChoiceGroup]
    /// Whether the formats are the search's own and not the command line's.
    package let isFree: Bool
    /// Formats of the KV cache that the plan may take: `f16`, `int8`, `int4`.
    package let kvFormats: [String]

    /// The catalog of `profile` for a model. Throws `unsupported` for execution that this version does not have, and
    /// `badInput` for options that leave a group without a choice.
    package init(
        profile: DeviceProfile, configuration: ModelConfiguration, options: TuningOptions
    ) throws(TuningError) {
        let compute = profile.compute
        if ExecutionMode(profile) == .integerOnly, !compute.techniques.contains(.dynamic) {
            throw TuningError(
                .unsupported, place: profile.name,
                "execution in integers alone measures each token's range; allow the technique dynamic")
        }
        if profile.runtime == .llamaCpp, let window = configuration.window,
            window < profile.memory.context ?? configuration.context
        {
            throw TuningError(
                .unsupported, place: profile.name,
                "llama.cpp runs this architecture without its sliding window; write memory.context: \(window), "
                    + "or runtime: fettle")
        }
        let legality = ChoiceLegality(profile: profile)
        isFree = options.only.isEmpty && options.uniform == nil
        let worthwhile = isFree ? CandidateFormats.worthwhile(for: profile, configuration: configuration) : []
        var groups: [ChoiceGroup] = []
        for var group in ChoiceGroup.all(of: configuration, isFused: profile.runtime == .fettle) {
            group.choices = Self.specs(for: group, profile: profile, worthwhile: worthwhile, options: options)
                .filter { legality.allows($0, for: group) }
                .map { spec in
                    var spec = spec
                    // Rows of a look-up are read one by one: what one rounding loses, no other column can take over; and no norm
                    // stands before all that reads a head or an embedding.
                    if group.role != .layer {
                        spec.refinements.removeAll { $0 != .clip && !(group.role.isHead && $0 == .gptq) }
                    }
                    return Choice(spec: spec)
                }
            guard !group.choices.isEmpty else {
                throw TuningError(
                    .badInput, place: "\(profile.name), \(group.name)",
                    "no format is left that the profile allows and that divides rows of "
                        + "\(group.tensors.map { String($0.columns) }.joined(separator: ", ")); allow another one")
            }
            groups.append(group)
        }
        self.groups = groups
        kvFormats = try Self.kvFormats(profile: profile, configuration: configuration, options: options)
    }

    /// The same catalog with these formats only; groups that would be left without a choice keep theirs.
    package func keeping(_ formats: Set<Format>) -> ChoiceCatalog {
        var result = self
        for index in groups.indices {
            let kept = groups[index].choices.filter { formats.contains($0.format) }
            if !kept.isEmpty { result.groups[index].choices = kept }
        }
        return result
    }

    /// The same catalog for a model whose channels are balanced: the choices of layers say so.
    func balanced(by refinement: Refinement) -> ChoiceCatalog {
        var result = self
        for group in groups.indices where groups[group].role == .layer {
            for index in groups[group].choices.indices where groups[group].choices[index].format != .float16 {
                var names = groups[group].choices[index].refinement.split(separator: "+").map(String.init)
                guard !names.contains(refinement.rawValue) else { continue }
                names.insert(refinement.rawValue, at: min(1, names.count))
                result.groups[group].choices[index].refinement = names.joined(separator: "+")
            }
        }
        return result
    }

    /// Whether inputs are quantized with frozen scales.
    var isStatic: Bool { groups.contains { $0.choices.contains { $0.activation == .static } } }

    /// The grid that a balance is tried on: 4 bits, in groups where scales are for groups; but the layers' own where they have but one
    /// format, of fewer bits and with scales for whole rows: on SmolLM2-135M factors from `u4c` made `k3c` worse. What is coded is like 4
    /// bits: with factors from `k4c` `k4ce30+clip+awq` was better, 0.473 nats for 0.517, and with `gptq` far worse, 0.306 for 0.197.
    var balanceFormat: GridFormat {
        let formats = Set(groups.filter { $0.role == .layer }.flatMap { $0.choices.map(\.format) })
        let isGrouped = formats.contains { format in
            switch format {
            case .grid(let format): if case .group = format.granularity { true } else { false }
            case .block: true
            case .float16: false
            }
        }
        if isGrouped { return GridFormat(.uniform, bits: 4, .group(32)) }
        if formats.count == 1, case .grid(let only)? = formats.first, only.indexRate == nil, only.bits <= 3 {
            return only
        }
        return GridFormat(.uniform, bits: 4, .channel)
    }

    private static func specs(
        for group: ChoiceGroup, profile: DeviceProfile, worthwhile: [Format], options: TuningOptions
    ) -> [Spec] {
        if group.role.isHead, let head = options.head { return [Spec(head)] }
        if let uniform = options.uniform { return [uniform] }
        if !options.only.isEmpty { return options.only }
        return worthwhile.flatMap { format in
            activations(of: format, profile: profile).map { Spec(format, activation: $0) }
        }
    }

    /// Per group of 32 where the device can, since it costs no byte and is far nearer to the float product; else per token.
    /// A device that measured its kernels may find that per token is faster: then both are choices. int16, which takes the time of
    /// two products, is one for a device whose profile names it, beside 8 bits only where groups leave it less to gain.
    private static func activations(of format: Format, profile: DeviceProfile) -> [Activation] {
        guard case .grid = format else { return [format.defaultActivation] }
        let granularity = profile.compute.activationGranularity
        guard profile.compute.techniques.contains(.dynamic) else { return [.static] }
        let perToken = profile.kernels.contains { $0.activation == Activation.int8.rawValue }
        var result: [Activation] = granularity.contains(.group) ? [.int8g32] : []
        guard granularity.contains(.token) else { return result }
        if result.isEmpty || perToken { result.append(.int8) }
        let hasGroups = granularity.contains(.group)
        if profile.compute.activations?.contains(16) == true, !hasGroups || format.bits == 8 { result.append(.int16) }
        return result
    }

    private static func kvFormats(
        profile: DeviceProfile, configuration: ModelConfiguration, options: TuningOptions
    ) throws(TuningError) -> [String] {
        let available =
            switch ExecutionMode(profile) {
            case .dynamic: KVFormat.allCases.filter { $0.fits(headWidth: configuration.headWidth) }.map(\.rawValue)
            case .integerOnly: [KVFormat.int8.rawValue]
            case nil: ["f16", "int8"]
            }
        if let kv = options.kv {
            guard available.contains(kv) else {
                throw TuningError(
                    .unsupported, place: "--kv \(kv)",
                    "this KV cache is not available for runtime \(profile.runtime.rawValue); choose "
                        + available.joined(separator: " or "))
            }
            return [kv]
        }
        if profile.runtime == .llamaCpp { return ["f16"] }
        return options.uniform == nil ? available : ["int8"]
    }
}

extension Choice {
    /// The choice that a SPEC means: where refinements are open it is the clip search, which every quantized format has, until
    /// the plan is refined.
    package init(spec: Spec) {
        let refinements = spec.refinements.isEmpty ? [Refinement.clip] : spec.refinements
        self.init(
            format: spec.format, activation: spec.activation,
            refinement: spec.format == .float16 ? "" : refinements.map(\.rawValue).joined(separator: "+"))
    }

    /// The choice as a SPEC, refinements left out: they are not part of how weights are stored.
    package var spec: Spec { Spec(format, activation: activation) }

    /// The name in scores and problems, for instance `u4g32` or `u8c/int8`.
    package var name: String { spec.description }
}
