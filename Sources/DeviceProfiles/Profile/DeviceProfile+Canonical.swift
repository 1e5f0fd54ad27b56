internal import Compute

extension DeviceProfile {
    /// The profile after inheritance, as canonical JSON (sorted keys, base units, defaults filled in).
    package var resolved: String { canonical.encoded }

    /// SHA-256 of `resolved`, hexadecimal.
    package var digest: String {
        let hash = SHA256()
        hash.update(resolved.utf8)
        return hash.hexadecimal()
    }

    /// What the profile demands, as canonical JSON in base units, with the keys of the YAML. The description and the
    /// places are not in it: they change nothing about a bundle.
    package var canonical: CanonicalJSON {
        CanonicalJSON.compact([
            "fettle": .integer(1),
            "name": .text(name),
            "runtime": .text(runtime.rawValue),
            "compute": compute.canonical,
            "memory": .compact([
                "budget": .some(memory.budget), "runtime": .integer(memory.runtime), "storage": .some(memory.storage),
                "bandwidth": .some(memory.bandwidth), "context": .some(memory.context),
            ]),
            "latency": .compact([
                "prefill": .compact([
                    "tokens": .some(latency.prefillTokens), "goal": .some(latency.prefillGoal),
                ]),
                "decode": .compact(["goal": .some(latency.decodeGoal), "at": .some(latency.decodeAt)]),
            ]),
            "energy": .compact([
                "goal": .some(energy.goal), "idle": .some(energy.idle), "dram": .some(energy.dram),
                "int8-mac": .some(energy.int8MAC), "int16-mac": .some(energy.int16MAC),
                "float-mac": .some(energy.floatMAC),
            ]),
            "quality": .compact(["metric": .text(quality.metric.rawValue), "goal": .some(quality.goal)]),
            "prefer": .text(prefer.rawValue),
            "calibration": calibration.map { .text($0) },
            "kernels": kernels.isEmpty ? nil : .list(kernels.map(\.canonical)),
        ])
    }
}

extension ComputeCapability {
    fileprivate var canonical: CanonicalJSON {
        .compact([
            "cores": .some(cores),
            "float": .text(float.rawValue),
            "integer": .compact([
                "dot": dot.map { .text($0.rawValue) },
                "accumulator": .integer(accumulator),
                "weights": .some(weights), "granularity": granularity.map { .words($0) }, "groups": .some(groups),
                "activations": .some(activations),
                "activation-granularity": .words(activationGranularity),
                "zero-point": .flag(zeroPoint), "codebook": .flag(codebook), "shift": .flag(shift),
                "techniques": .words(techniques),
            ]),
            "throughput": .compact([
                "int8": .some(int8Throughput), "int16": .some(int16Throughput), "float": .some(floatThroughput),
            ]),
            "attention": .compact(attention.mapValues { .some($0) }),
            "overhead": .compact(["decode": .some(decodeOverhead), "prefill": .some(prefillOverhead)]),
        ])
    }
}

extension KernelRate {
    fileprivate var canonical: CanonicalJSON {
        .compact([
            "format": .text(format), "activation": .text(activation), "decode": .real(decode),
            "cached-decode": cachedDecode.map(CanonicalJSON.real), "prefill": .real(prefill),
        ])
    }
}

extension CanonicalJSON {
    /// A map of what is present.
    fileprivate static func compact(_ entries: [String: CanonicalJSON?]) -> CanonicalJSON {
        .map(entries.compactMapValues { $0 }.filter { $0.value != .map([:]) })
    }

    fileprivate static func some(_ value: Int?) -> CanonicalJSON? { value.map { .integer($0) } }
    fileprivate static func some(_ value: Double?) -> CanonicalJSON? { value.map { .real($0) } }
    fileprivate static func some(_ values: Set<Int>?) -> CanonicalJSON? {
        values.map { .list($0.sorted().map { .integer($0) }) }
    }

    fileprivate static func words<Word: RawRepresentable>(_ values: Set<Word>) -> CanonicalJSON
    where Word.RawValue == String {
        .list(values.map(\.rawValue).sorted().map { .text($0) })
    }
}
