import DeviceProfiles
import IntegerRuntime
import Quantization
import Testing
import Tuning

/// Costs against numbers worked out by hand from design.md, section 6, and llama.cpp's log.
struct CostModelTests {
    private static var profile: DeviceProfile {
        var profile = DeviceProfile(name: "device")
        profile.memory.bandwidth = 10e9
        profile.memory.context = 512
        profile.latency.prefillTokens = 100
        profile.latency.decodeAt = 256
        profile.compute.int8Throughput = 50e9
        profile.compute.floatThroughput = 20e9
        profile.energy.idle = 2
        profile.energy.dram = 60e-12
        profile.energy.int8MAC = 0.5e-12
        profile.energy.floatMAC = 4e-12
        return profile
    }

    private static func model(_ profile: DeviceProfile) -> CostModel {
        CostModel(profile: profile, configuration: ChoiceCatalogTests.smollm, tokenizerBytes: 1000)
    }

    @Test func followTheFormulas() throws {
        let model = Self.model(Self.profile)
        let groups = ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: true)
        let down = try #require(groups.first { $0.name == "blk.0.ffn_down" })
        let choice = Choice(spec: try Spec(parsing: "u8g32"))
        let costs = model.costs(of: choice, for: down)
        let weights = 576.0 * 1536
        // 36 row blocks of 48 groups: 48 * 16 half-precision scales and 48 tiles of 512 bytes.
        let bytes = 36.0 * 48 * (32 + 512)
        #expect(costs.resident == bytes && costs.stored == bytes)
        #expect(costs.decode == bytes / 10e9)
        #expect(costs.prefill == 2 * weights * 100 / 50e9)
        #expect(abs(costs.energy - (2 * bytes / 10e9 + 60e-12 * 8 * bytes + 0.5e-12 * weights)) < 1e-18)
    }

    @Test func theHeadRunsOncePerPrompt() throws {
        let model = Self.model(Self.profile)
        let group = try #require(ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: true).first)
        let costs = model.costs(of: Choice(spec: try Spec(parsing: "u4g32")), for: group)
        #expect(costs.prefill == costs.decode)
    }

    @Test func attentionHasTheRateOfItsCache() throws {
        var profile = Self.profile
        profile.latency.prefillTokens = 512
        profile.compute.attention = ["int8": 40e9]
        let model = Self.model(profile)
        // 30 layers of 9 heads of 64; two multiply-adds for each token and those up to it.
        let operations = 4.0 * 30 * 9 * 64 * 512 * 513 / 2
        #expect(model.costs(ofCache: "int8").prefill == operations / 40e9)
        #expect(model.costs(ofCache: "f16").prefill == operations / 20e9)
        // Profiles know all formats that the runtime caches in.
        #expect(ComputeCapability.caches == KVFormat.allCases.map(\.rawValue))
    }

    @Test func codedIndicesTakeLessInTheFileOnly() throws {
        var profile = Self.profile
        profile.kernels = [KernelRate(format: "k5c", activation: "int8g32", decode: 1e9, prefill: 10e9)]
        let group = ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: true)[2]
        let packed = Self.model(profile).costs(of: Choice(spec: try Spec(parsing: "k5c")), for: group)
        let coded = Self.model(profile).costs(of: Choice(spec: try Spec(parsing: "k5ce36")), for: group)
        // 576 x 576: 32 entries in a line, 36 row blocks of 16 half-precision scales and 18 tiles; 3.6 bits for each index.
        #expect(packed.resident == 64 + 36 * (64 + 18 * 5 * 64) && packed.stored == packed.resident)
        #expect(coded.stored == Double((64 + 36 * 32 + 576 * 576 * 36 / 80 + 63) / 64 * 64))
        #expect(coded.resident == packed.resident)
        #expect(coded.decode == packed.decode && coded.prefill == packed.prefill && coded.energy == packed.energy)
    }

    @Test func aMeasuredKernelReplacesTheRates() throws {
        var profile = Self.profile
        profile.kernels = [KernelRate(format: "u4g32", activation: "int8g32", decode: 1e9, prefill: 10e9)]
        let group = ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: true)[1]
        let slow = Self.model(profile).costs(of: Choice(spec: try Spec(parsing: "u4g32")), for: group)
        let usual = Self.model(Self.profile).costs(of: Choice(spec: try Spec(parsing: "u4g32")), for: group)
        #expect(abs(slow.prefill / usual.prefill - 5) < 1e-9)
        #expect(abs(slow.decode / usual.decode - 10) < 1e-9)
    }

    /// 40 MB of weights are read at the one rate, 106 MB and more at the other, and the time of what lies between is on the line
    /// between both times: 40 ms and 212 ms here, so that 73 MB take 126 ms.
    @Test(arguments: [(20, 1.0), (40, 1.0), (73, 73.0 / 126), (106, 0.5), (500, 0.5)])
    func fewWeightsArePartlyCached(megabytes: Int, gigabytesPerSecond: Double) throws {
        let rate = KernelRate(
            format: "u4g32", activation: "int8g32", decode: 0.5e9, cachedDecode: 1e9, prefill: 10e12)
        let group = ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: true)[1]
        let choice = Choice(spec: try Spec(parsing: "u4g32"))
        func seconds(_ change: (inout DeviceProfile) -> Void) -> Double {
            var profile = Self.profile
            profile.kernels = [rate]
            change(&profile)
            return Self.model(profile).costs(of: choice, for: group).decode
        }
        let bytes = Self.model(Self.profile).costs(of: choice, for: group).resident
        let expected = bytes / (gigabytesPerSecond * 1e9)
        #expect(abs(seconds { $0.memory.storage = megabytes * 1_000_000 } / expected - 1) < 1e-12)
        // What memory has room for is what there may be, beside what every plan takes.
        let fixed = Self.model(Self.profile).fixedResidentBytes
        #expect(abs(seconds { $0.memory.budget = megabytes * 1_000_000 + fixed } / expected - 1) < 1e-12)
        #expect(seconds { _ in } == bytes / 0.5e9)
    }

    /// 73 MB of indices that take half of what they take in memory are 146 MB there, of which caches hold next to nothing.
    @Test func whatIsCodedIsMoreInMemory() throws {
        var profile = Self.profile
        profile.memory.storage = 73_000_000
        profile.kernels = [
            KernelRate(format: "k5c", activation: "int8g32", decode: 0.5e9, cachedDecode: 1e9, prefill: 10e12)
        ]
        let group = ChoiceGroup.all(of: ChoiceCatalogTests.smollm, isFused: true)[1]
        let coded = Self.model(profile).costs(of: Choice(spec: try Spec(parsing: "k5ce26")), for: group)
        let packed = Self.model(profile).costs(of: Choice(spec: try Spec(parsing: "k5c")), for: group)
        #expect(abs(coded.decode / (coded.resident / 0.5e9) - 1) < 1e-12)
        #expect(abs(packed.decode / (packed.resident / (73e9 / 126)) - 1) < 1e-12)
    }

    /// 30 layers of width 576, 100 tokens of prompt, 2 W at rest.
    @Test func countsWhatLiesBetweenProducts() {
        var profile = Self.profile
        #expect(Self.model(profile).fixedTime == Costs())
        profile.compute.decodeOverhead = 8e-6
        profile.compute.prefillOverhead = 2e-6
        let costs = Self.model(profile).fixedTime
        #expect(abs(costs.decode - 30 * 576 / 1024 * 8e-6) < 1e-15)
        #expect(abs(costs.prefill - 30 * 576 / 1024 * 100 * 2e-6) < 1e-15)
        #expect(abs(costs.energy - 2 * costs.decode) < 1e-15)
    }

    /// llama.cpp b11434 on SmolLM2-135M, batch 512: "KV buffer size = 11.25 MiB", "compute buffer size = 102.14 MiB" and
    /// "output buffer size = 0.19 MiB" at context 512; 45.00, 104.77 and 0.19 at 2048.
    @Test(arguments: [(512, 11.25, 102.14), (2048, 45.0, 104.77)])
    func agreesWithTheLogOfLlamaCpp(context: Int, cache: Double, compute: Double) {
        var profile = DeviceProfile(name: "llama", runtime: .llamaCpp)
        profile.memory.context = context
        let model = Self.model(profile)
        let mebibyte = 1_048_576.0
        #expect(model.costs(ofCache: "f16").resident == cache * mebibyte)
        let fixed = Double(model.fixedResidentBytes - 1000) / mebibyte
        // An upper bound, at most 1.5 % above what llama.cpp allocates; the log rounds to 0.01.
        #expect(fixed >= compute + 0.18)
        #expect(fixed <= 1.015 * (compute + 0.19))
    }

    @Test func namesWhatTheProfileDoesNotSay() {
        let missing = CostModel(
            profile: DeviceProfile(name: "bare"), configuration: ChoiceCatalogTests.smollm, tokenizerBytes: 0
        ).missingParameters
        #expect(missing.contains("memory.bandwidth") && missing.contains("energy.dram"))
        #expect(Self.model(Self.profile).missingParameters.isEmpty)
    }
}
