import DeviceProfiles
import Testing

/// A profile that writes every key of the table.
let everything = """
    fettle: 1
    name: everything
    extends: nothing
    description: every key
    runtime: fettle
    compute:
      cores: 4
      float: fp16
      integer:
        dot: i8mm
        accumulator: 24
        weights: [8, 4]
        granularity: [tensor, group]
        groups: [64]
        activations: [16]
        activation-granularity: [tensor]
        zero-point: false
        codebook: false
        shift: false
        techniques: [static]
      throughput: {int8: 150 GOPS, int16: 70 GOPS, float: 60 GFLOPS}
      attention: {f16: 50 GFLOPS, int8: 90 GOPS, int4: 80 GOPS}
      overhead: {decode: 8 us, prefill: 2.5 us}
    memory:
      budget: 900 MiB
      runtime: 20 MB
      storage: 98400000 B
      bandwidth: 12 GB/s
      context: 2048
    latency:
      prefill: {tokens: 256, goal: 4 s}
      decode: {goal: 80 ms, at: 1024}
    energy: {goal: 0.5 J, idle: 2.7 W, dram: 60 pJ/bit, int8-mac: 0.4 pJ, int16-mac: 1 pJ, float-mac: 4.6 pJ}
    quality: {metric: perplexity, goal: 0.02}
    prefer: latency
    calibration: domain.txt
    kernels:
      - {format: u4g32, activation: int8g32, decode: 9.1 GB/s, cached-decode: 11 GB/s, prefill: 96 GOPS}
    """

@Suite struct FullProfileTests {
    private func load() throws -> DeviceProfile {
        try library([("nothing", "fettle: 1\nname: nothing\n")]).parse(everything, file: "p.yaml")
    }

    @Test func everyKeyArrives() throws {
        let profile = try load()
        let expected = DeviceProfile(
            name: "everything", description: "every key", runtime: .fettle,
            compute: ComputeCapability(
                cores: 4, float: .fp16, dot: .i8mm, accumulator: 24, weights: [4, 8], granularity: [.tensor, .group],
                groups: [64], activations: [16], activationGranularity: [.tensor], zeroPoint: false, codebook: false,
                shift: false, techniques: [.static], int8Throughput: 150e9, int16Throughput: 70e9,
                floatThroughput: 60e9, attention: ["f16": 50e9, "int8": 90e9, "int4": 80e9], decodeOverhead: 8e-6,
                prefillOverhead: 2.5e-6),
            memory: MemoryLimits(
                budget: 943_718_400, runtime: 20_000_000, storage: 98_400_000, bandwidth: 12e9, context: 2048),
            latency: LatencyGoals(prefillTokens: 256, prefillGoal: 4, decodeGoal: 0.08, decodeAt: 1024),
            energy: EnergyModel(goal: 0.5, idle: 2.7, dram: 6e-11, int8MAC: 4e-13, int16MAC: 1e-12, floatMAC: 4.6e-12),
            quality: QualityGoal(metric: .perplexity, goal: 0.02), prefer: .latency, calibration: "domain.txt",
            kernels: [
                KernelRate(format: "u4g32", activation: "int8g32", decode: 9.1e9, cachedDecode: 11e9, prefill: 96e9)
            ],
            places: profile.places)
        #expect(profile == expected)
    }

    /// Written by hand from the text above; the digest is what sha256sum says of this line.
    @Test func resolvedIsCanonicalJSON() throws {
        let profile = try load()
        #expect(
            profile.resolved == """
                {"calibration":"domain.txt","compute":{"attention":{"f16":50000000000,"int4":80000000000,\
                "int8":90000000000},"cores":4,"float":"fp16","integer":{"accumulator":24,\
                "activation-granularity":["tensor"],"activations":[16],"codebook":false,"dot":"i8mm",\
                "granularity":["group","tensor"],"groups":[64],"shift":false,"techniques":["static"],"weights":[4,8],\
                "zero-point":false},"overhead":{"decode":8e-06,"prefill":2.5e-06},\
                "throughput":{"float":60000000000,"int16":70000000000,"int8":150000000000}},\
                "energy":{"dram":6e-11,"float-mac":4.6e-12,"goal":0.5,"idle":2.7,"int16-mac":1e-12,"int8-mac":4e-13},\
                "fettle":1,"kernels":[{"activation":"int8g32","cached-decode":11000000000,\
                "decode":9100000000,"format":"u4g32",\
                "prefill":96000000000}],"latency":{"decode":{"at":1024,"goal":0.08},"prefill":{"goal":4,"tokens":256}},\
                "memory":{"bandwidth":12000000000,"budget":943718400,"context":2048,"runtime":20000000,\
                "storage":98400000},"name":"everything","prefer":"latency",\
                "quality":{"goal":0.02,"metric":"perplexity"},"runtime":"fettle"}
                """)
        #expect(profile.digest == "33b4b261f5aba7dd803791e5e127d579bbf92e576775903c497c7e682440247e")
    }

    /// The table of keys and `resolved` must name the same keys: both are lists made by hand.
    @Test func resolvedHasEveryKeyOfTheTable() throws {
        func paths(_ fields: [Field], under prefix: String = "") -> [String] {
            fields.flatMap { field in
                if case .map(let inner) = field.kind { return paths(inner, under: "\(prefix)\(field.name).") }
                return [prefix + field.name]
            }
        }
        let notResolved: Set = ["extends", "description"]
        let expected = Set(paths(DeviceProfile.fields)).subtracting(notResolved)
        #expect(Set(try load().canonical.leaves.map(\.keyPath)) == expected)
        #expect(Set(try load().places.keys) == expected.union(notResolved))
    }
}
