import DeviceProfiles
import ModelFiles
import Quantization
import Testing
import Tuning

/// Which choices a profile leaves.
struct ChoiceCatalogTests {
    /// SmolLM2-135M's shape: rows of 576 are no multiple of 256 or of 128.
    static let smollm = ModelConfiguration(
        architecture: .llama, vocabulary: 49152, width: 576, feedForward: 1536, layers: 30, heads: 9, keyValueHeads: 3,
        headWidth: 64, context: 8192, normEpsilon: 1e-5, rotaryBase: 100_000, rotaryPairing: .adjacent,
        tiedEmbedding: true)

    static func catalog(
        _ profile: DeviceProfile, _ options: TuningOptions = TuningOptions()
    ) throws -> ChoiceCatalog {
        try ChoiceCatalog(profile: profile, configuration: smollm, options: options)
    }

    @Test func fettleFusesWhatReadsTheSameInput() throws {
        let catalog = try Self.catalog(DeviceProfile(name: "any"))
        #expect(catalog.groups.count == 1 + 4 * 30)
        let group = try #require(catalog.groups.first { $0.name == "blk.3.attn_qkv" })
        #expect(group.tensors.map(\.name) == ["blk.3.attn_q.weight", "blk.3.attn_k.weight", "blk.3.attn_v.weight"])
        #expect(catalog.groups[0].role == .tiedEmbedding)
        #expect(catalog.groups.allSatisfy { (12...26).contains($0.choices.count) })
        #expect(catalog.kvFormats == ["f16", "int8", "int4"])
    }

    @Test func kTypesNeedRowsOf256() throws {
        let catalog = try Self.catalog(DeviceProfile(name: "any", runtime: .llamaCpp))
        #expect(catalog.groups.count == 1 + 7 * 30)
        for group in catalog.groups {
            let names = Set(group.choices.map(\.name))
            #expect(names.isSuperset(of: ["q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]))
            #expect(names.contains("q4_k") == group.name.hasSuffix("ffn_down"))
        }
        #expect(catalog.kvFormats == ["f16"])
    }

    @Test func keepsToWhatTheDeviceCanDo() throws {
        var profile = DeviceProfile(name: "plain")
        profile.compute.weights = [8, 4]
        profile.compute.granularity = [.tensor, .channel]
        profile.compute.zeroPoint = false
        profile.compute.codebook = false
        profile.compute.shift = false
        profile.compute.activationGranularity = [.token]
        let names = Set(try Self.catalog(profile).groups.flatMap { $0.choices.map(\.name) })
        #expect(names == ["u8c/int8", "u4c/int8"])
    }

    /// A codebook is as good as any fixed table of its size: sums of two powers are choices where there is none.
    @Test func sumsOfPowersAreForDevicesWithoutTables() throws {
        func sums(_ change: (inout DeviceProfile) -> Void) throws -> Set<String> {
            var profile = DeviceProfile(name: "any")
            change(&profile)
            let groups = try Self.catalog(profile).groups
            return Set(groups.flatMap { $0.choices.map(\.format.description).filter { $0.hasPrefix("p") } })
        }
        #expect(try sums { _ in } == [])
        #expect(try sums { $0.compute.codebook = false } == ["p4g64", "p5g64"])
        #expect(
            try sums {
                $0.compute.codebook = false
                $0.compute.shift = false
            } == [])
        #expect(
            try sums {
                $0.compute.codebook = false
                $0.compute.granularity = [.tensor]
            } == ["p4t", "p5t"])
    }

    /// Everything at 2.25 bits is the least that a device with groups can be asked for. Where a plan of 4 bits throughout keeps every
    /// limit two bits are not scored, where one of 5 does three are not. Where only storage is short, coded indices are there instead.
    @Test func narrowFormatsAreForNarrowLimits() throws {
        func least(_ change: (inout DeviceProfile) -> Void) throws -> Int {
            var profile = DeviceProfile(name: "any")
            change(&profile)
            let groups = try Self.catalog(profile).groups
            let bits = Set(groups.map { $0.choices.map(\.format.bits).min() })
            #expect(bits.count == 1)
            return try #require(bits.first ?? nil)
        }
        let parameters = Self.smollm.parameters
        #expect(try least { _ in } == 4)
        #expect(try least { $0.memory.storage = 6 * parameters / 8 } == 4)
        #expect(try least { $0.memory.storage = 5 * parameters / 8 } == 4)
        #expect(try least { $0.memory.storage = 4 * parameters / 8 } == 4)
        #expect(try least { $0.memory.storage = 3 * parameters / 8 } == 3)
        #expect(try least { $0.memory.storage = 2 * parameters / 8 } == 2)
        #expect(try least { $0.memory.budget = 4 * parameters / 8 } == 2)
        func withoutTables(_ storage: Int) throws -> Int {
            try least {
                $0.memory.storage = storage
                $0.compute.codebook = false
            }
        }
        #expect(try withoutTables(5 * parameters / 8) == 3)
        #expect(try withoutTables(4 * parameters / 8) == 2)
        // A token reads all weights: at 1 GB/s 5 bits of each take 84 ms, 4 bits 67 ms.
        func slow(_ profile: inout DeviceProfile, goal: Double) {
            profile.memory.bandwidth = 1e9
            profile.memory.context = 512
            profile.latency = LatencyGoals(decodeGoal: goal)
        }
        #expect(try least { slow(&$0, goal: 0.1) } == 4)
        #expect(try least { slow(&$0, goal: 0.085) } == 3)
        #expect(try least { slow(&$0, goal: 0.06) } == 2)
        #expect(
            try least {
                $0.memory.storage = 6 * parameters / 8; $0.quality.goal = 0.1; $0.prefer = .memory
            } == 2)
        // What the device cannot hold does not count.
        #expect(
            try least {
                $0.compute.weights = [3, 2]; $0.memory.storage = 3 * parameters / 8
            } == 2)
        #expect(try least { $0.compute.weights = [3] } == 3)
        // 8 bits throughout do not fit; without 3 nothing would.
        #expect(
            try least {
                $0.compute.weights = [8, 3]
                $0.memory.storage = 6 * parameters / 8
            } == 3)
    }

    /// Coded indices save storage and no memory: they are choices where the storage is too small for some more bits throughout, of
    /// the coarsest scales that the device has, and not where memory is.
    @Test func codedIndicesAreForLittleStorage() throws {
        func coded(_ change: (inout DeviceProfile) -> Void) throws -> [Set<String>] {
            var profile = DeviceProfile(name: "any")
            change(&profile)
            return try Self.catalog(profile).groups.map { group in
                Set(group.choices.filter { $0.format.resident != $0.format }.map(\.format.description))
            }
        }
        let parameters = Self.smollm.parameters
        let channel: Set = ["k5ce40", "k5ce36", "k4ce30", "k4ce26"]
        #expect(try coded { $0.memory.storage = 4 * parameters / 8 }.allSatisfy { $0 == channel })
        #expect(try coded { $0.memory.storage = 3 * parameters / 8 }.allSatisfy { $0 == channel.union(["k4ce22"]) })
        #expect(try coded { $0.memory.storage = 5 * parameters / 8 }.allSatisfy { $0 == ["k5ce40"] })
        #expect(try coded { $0.memory.storage = 6 * parameters / 8 }.allSatisfy(\.isEmpty))
        #expect(try coded { $0.memory.budget = 4 * parameters / 8 }.allSatisfy(\.isEmpty))
        let tensor: Set = ["k5te40", "k5te36", "k4te30", "k4te26"]
        #expect(
            try coded {
                $0.memory.storage = 4 * parameters / 8
                $0.compute.granularity = [.tensor]
            }.allSatisfy { $0 == tensor })
        #expect(
            try coded {
                $0.memory.storage = 4 * parameters / 8
                $0.compute.codebook = false
            }.allSatisfy(\.isEmpty))
        #expect(
            try coded {
                $0.runtime = .llamaCpp
                $0.memory.storage = 4 * parameters / 8
            }.allSatisfy(\.isEmpty))
    }

    /// A machine that measured itself has a rate for every choice that it then gets: one without would be predicted by another
    /// rule than those beside it.
    @Test func aMeasuredMachineHasARateForEveryChoice() throws {
        var profile = DeviceProfile(name: "measured")
        profile.kernels = CandidateFormats.measured.map {
            KernelRate(
                format: $0.format.description, activation: $0.activation.rawValue, decode: 1e9, prefill: 1e9)
        }
        let rates = Set(CandidateFormats.measured)
        for group in try Self.catalog(profile).groups {
            #expect(group.choices.contains { $0.activation == .int8 })
            for choice in group.choices { #expect(rates.contains(choice.spec), "\(choice.name)") }
        }
    }

    /// int16 is for devices that name it: beside everything where inputs have one scale for each token, beside 8 bits where they
    /// have one for each group, which leaves less to gain.
    @Test func int16IsForDevicesThatNameIt() throws {
        func formats(_ granularity: Set<ComputeCapability.ActivationGranularity>, _ bits: Set<Int>?) throws -> Set<Int>
        {
            var profile = DeviceProfile(name: "dsp")
            profile.compute.activationGranularity = granularity
            profile.compute.activations = bits
            let choices = try Self.catalog(profile).groups.flatMap(\.choices)
            return Set(choices.filter { $0.activation == .int16 }.map(\.format.bits))
        }
        #expect(try formats([.token], nil).isEmpty)
        #expect(try formats([.token], [8]).isEmpty)
        #expect(try formats([.token], [8, 16]) == [4, 5, 6, 8])
        #expect(try formats([.token, .group], [8, 16]) == [8])
        #expect(try formats([.group], [8, 16]).isEmpty)
    }

    /// llama.cpp would see more of the context than the model was made for.
    @Test func llamaCppHasNoSlidingWindow() throws {
        var mistral = Self.smollm
        mistral.window = 2048
        var profile = DeviceProfile(name: "pc", runtime: .llamaCpp)
        let error = #expect(throws: TuningError.self) {
            try ChoiceCatalog(profile: profile, configuration: mistral, options: TuningOptions())
        }
        #expect(error?.code == .unsupported && error?.message.contains("memory.context: 2048") == true)
        profile.memory.context = 2048
        #expect(throws: Never.self) {
            try ChoiceCatalog(profile: profile, configuration: mistral, options: TuningOptions())
        }
    }

    /// Weights alone are quantized where somebody asks for it and the device has floats.
    @Test func floatInputsAreThereForTheAsking() throws {
        var options = TuningOptions()
        options.uniform = try Spec(parsing: "u4g32/float")
        var profile = DeviceProfile(name: "any")
        let choices = try Self.catalog(profile, options).groups.flatMap(\.choices)
        #expect(choices.allSatisfy { $0.name == "u4g32/float" })
        profile.compute.float = .none
        #expect(throws: TuningError.self) { try Self.catalog(profile, options) }
    }

    @Test func countsTheBitsOfTheAccumulator() throws {
        var profile = DeviceProfile(name: "narrow")
        profile.compute.weights = [8, 4]
        // 127 * 8 * 32 = 32512 fits 16 bits with a sign; 127 * 128 * 32 does not, nor 127 * 15 * 32.
        profile.compute.accumulator = 16
        let names = Set(try Self.catalog(profile).groups.flatMap { $0.choices.map(\.name) })
        #expect(names == ["u4g32", "u4g64"])
    }

    @Test func aDeviceWithoutDynamicRangesTakesStaticInputsOnly() throws {
        var fixed = DeviceProfile(name: "static-only")
        fixed.compute.techniques = [.static]
        let activations = Set(try Self.catalog(fixed).groups.flatMap { $0.choices.map(\.activation) })
        #expect(activations == [.static, .float])  // float for half precision
        fixed.compute.float = .none
        let error = #expect(throws: TuningError.self) { _ = try Self.catalog(fixed) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("allow the technique dynamic") == true)
    }

    @Test func aDeviceWithoutFloatsTakesInt8InputsAndCacheOnly() throws {
        var profile = DeviceProfile(name: "mcu")
        profile.compute.float = .none
        let catalog = try Self.catalog(profile)
        let activations = Set(catalog.groups.flatMap { $0.choices.map(\.activation) })
        #expect(activations.isSubset(of: [.int8, .int8g32]) && !activations.isEmpty)
        #expect(catalog.kvFormats == ["int8"])
    }

    @Test func optionsRestrictTheChoices() throws {
        var options = TuningOptions()
        options.only = [try Spec(parsing: "u4g32"), try Spec(parsing: "u8c"), try Spec(parsing: "q4_0")]
        options.head = try Format(parsing: "u6g64")
        options.kv = "int8"
        let catalog = try Self.catalog(DeviceProfile(name: "any"), options)
        #expect(catalog.kvFormats == ["int8"])
        #expect(catalog.groups[0].choices.map(\.name) == ["u6g64"])
        #expect(catalog.groups[1].choices.map(\.name) == ["u4g32", "u8c"])
        options.only = [try Spec(parsing: "u4g128")]
        // 576 columns are no multiple of 128.
        #expect(throws: TuningError.self) { _ = try Self.catalog(DeviceProfile(name: "any"), options) }
        options.kv = "int4"
        #expect(throws: TuningError.self) { _ = try Self.catalog(DeviceProfile(name: "any"), options) }
    }
}
