extension DeviceProfile {
    /// The table of every key that a profile may have: validation, messages and `fettle profile schema` come from it.
    package static let fields: [Field] = [
        Field("fettle", .integer(1...1), isRequired: true, "Version of the profile's schema."),
        Field("name", .text(.name), isRequired: true, "Name of the device; bundles are named by it."),
        Field("extends", .text(.name), "A family or another profile: maps merge, scalars and lists replace."),
        Field("description", .text(.any), "What the device is, for people."),
        Field(
            "runtime", .word(words(TargetRuntime.self), reserved: ["c", "freestanding"]),
            "The program that runs the bundle on the device."),
        Field("compute", .map(computeFields), "The arithmetic of the device."),
        Field("memory", .map(memoryFields), "What the device can hold and how fast it reads."),
        Field("latency", .map(latencyFields), "Time goals."),
        Field("energy", .map(energyFields), "Energy goal and the constants of the energy model."),
        Field("quality", .map(qualityFields), "The quality that a bundle must keep."),
        Field("prefer", .word(words(Preference.self)), "What is optimised once every goal is met."),
        Field("calibration", .text(.any), "A text file to calibrate on; a relative path starts at this file."),
        Field("kernels", .list(.map(kernelFields)), "Measured rates of single formats on the device itself."),
    ]

    private static let computeFields = [
        Field("cores", .integer(1...1024), "Cores that the runtime may use."),
        Field(
            "float", .word(words(ComputeCapability.FloatSupport.self)),
            "Float unit; none forces integer-only execution."),
        Field("integer", .map(integerFields), "What the integer units can do."),
        Field("throughput", .map(throughputFields), "Operations per second; a multiply-add is two."),
        Field(
            "attention", .map(attentionFields),
            "Operations per second of attention, by the format of the KV cache; throughput.float where it is not given."
        ),
        Field("overhead", .map(overheadFields), "Time beside products and attention, of a layer 1024 wide."),
    ]

    private static let attentionFields = ComputeCapability.caches.map {
        Field($0, .quantity(.throughput), "With a KV cache of \($0).")
    }

    private static let overheadFields = [
        Field("decode", .quantity(.time), "For a decoded token."),
        Field("prefill", .quantity(.time), "For each token of a prompt."),
    ]

    private static let integerFields = [
        Field(
            "dot", .word(words(ComputeCapability.Dot.self)), "The dot-product instructions: kernel family and costs."),
        Field("accumulator", .integer(16...64), "Bits of the integer accumulator."),
        Field("weights", .list(.integer(2...8)), "Bit widths of weights that the device can unpack."),
        Field(
            "granularity", .list(.word(words(ComputeCapability.WeightGranularity.self))), "What shares a weight scale."),
        Field("groups", .list(.integer(8...1024)), "Group sizes of weights."),
        Field("activations", .list(.oneOf([8, 16])), "Bit widths of activations."),
        Field(
            "activation-granularity", .list(.word(words(ComputeCapability.ActivationGranularity.self))),
            "What shares an activation scale; tensor is static."),
        Field("zero-point", .flag, "Affine grids allowed."),
        Field("codebook", .flag, "Table look-up exists: k-means and weight sharing allowed."),
        Field("shift", .flag, "Weights that are powers of two, or sums of two, allowed."),
        Field(
            "techniques", .list(.word(words(ComputeCapability.Technique.self))),
            "Allowed among static, dynamic and qat."),
    ]

    private static let throughputFields = [
        Field("int8", .quantity(.throughput), "int8 operations per second."),
        Field("int16", .quantity(.throughput), "int16 operations per second."),
        Field("float", .quantity(.throughput), "Float operations per second."),
    ]

    private static let memoryFields = [
        Field("budget", .quantity(.size), "What the model may add to a process."),
        Field("runtime", .quantity(.size, orZero: true), "Taken off the budget for program and system."),
        Field("storage", .quantity(.size), "Size of the weights file."),
        Field("bandwidth", .quantity(.bandwidth), "Bytes per second from memory."),
        Field("context", .integer(1...1_048_576), "Tokens that the KV cache must hold."),
    ]

    private static let latencyFields = [
        Field(
            "prefill",
            .map([
                Field("tokens", .integer(1...1_048_576), "Tokens of the prompt."),
                Field("goal", .quantity(.time), "Time to the first token."),
            ]), "Time to the first token."),
        Field(
            "decode",
            .map([
                Field("goal", .quantity(.time), "Time for each token."),
                Field("at", .integer(0...1_048_576), "The context position at which a token is timed."),
            ]), "Time for each decoded token."),
    ]

    private static let energyFields = [
        Field("goal", .quantity(.energy), "Energy for each decoded token."),
        Field("idle", .quantity(.power, orZero: true), "Power at rest."),
        Field("dram", .quantity(.energyPerBit, orZero: true), "Energy for each bit from memory."),
        Field("int8-mac", .quantity(.energy, orZero: true), "Energy of an int8 multiply-add."),
        Field(
            "int16-mac", .quantity(.energy, orZero: true), "Energy of an int16 multiply-add; default 4 times int8-mac."),
        Field("float-mac", .quantity(.energy, orZero: true), "Energy of a float multiply-add."),
    ]

    private static let qualityFields = [
        Field("metric", .word(words(QualityGoal.Metric.self)), "How quality is measured; default kl."),
        Field("goal", .number(upTo: 100), "kl: nats per token; perplexity: relative increase; top1: agreement."),
    ]

    private static let kernelFields = [
        Field("format", .text(.format), isRequired: true, "Short name of the weight format."),
        Field(
            "activation",
            .word(["float", "int16", "int8", "int8g32", "int8g64", "static", "q8_0", "q8_k"]), isRequired: true,
            "The activation."),
        Field(
            "decode", .quantity(.bandwidth), isRequired: true,
            "Packed bytes per second while decoding, with more weights than caches hold (106 MB)."),
        Field("cached-decode", .quantity(.bandwidth), "The same with 40 MB of weights, part of which caches may hold."),
        Field("prefill", .quantity(.throughput), isRequired: true, "Operations per second in prefill."),
    ]

    private static func words<Word: CaseIterable & RawRepresentable>(_ type: Word.Type) -> [String]
    where Word.RawValue == String {
        type.allCases.map(\.rawValue)
    }
}
