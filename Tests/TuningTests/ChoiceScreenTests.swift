import Compute
import DeviceProfiles
import ModelFiles
import Quantization
import Testing
import Tuning

/// What is dropped before scoring, held against errors over the whole model.
@Suite struct ChoiceScreenTests {
    @Test(arguments: [TargetRuntime.fettle, .llamaCpp]) func whatIsDroppedIsBeatenEverywhere(runtime: TargetRuntime)
        throws
    {
        let model = try Bard.model()
        let pool = ThreadPool(threads: 2)
        let profile = Bard.profile(runtime, memory: MemoryLimits())
        let catalog = try ChoiceCatalog(
            profile: profile, configuration: model.configuration, options: TuningOptions())
        let all = Set(catalog.groups.flatMap(\.choices).map(\.format))
        let kept = try ChoiceScreen(model: model, store: try ScoreStore(path: nil), pool: pool).formats(
            of: catalog, for: profile)
        #expect(kept.isSubset(of: all) && kept.count < all.count && kept.contains(.float16))
        let names = catalog.groups.flatMap(\.tensors).map(\.name).filter { $0.hasPrefix("blk.1.") }
        for dropped in all.subtracting(kept) {
            let beaten = try kept.contains { other in
                try names.allSatisfy { name in
                    let weights = try model.tensor(name).matrix()
                    guard dropped.isLegal(rows: weights.rows, columns: weights.columns) else { return true }
                    guard other.isLegal(rows: weights.rows, columns: weights.columns),
                        other.packedBytes(rows: weights.rows, columns: weights.columns)
                            <= dropped.packedBytes(rows: weights.rows, columns: weights.columns)
                    else { return false }
                    return try Self.error(other, weights, pool) < Self.error(dropped, weights, pool)
                }
            }
            #expect(beaten, "\(dropped)")
        }
    }

    @Test func whereKernelsAreMeasuredNothingIsDropped() throws {
        let model = try Bard.model()
        var profile = Bard.profile(memory: MemoryLimits())
        profile.kernels = [KernelRate(format: "u4g32", activation: "int8g32", decode: 1e9, prefill: 1e9)]
        let catalog = try ChoiceCatalog(profile: profile, configuration: model.configuration, options: TuningOptions())
        #expect(
            try ChoiceScreen(model: model, store: try ScoreStore(path: nil), pool: ThreadPool(threads: 1)).formats(
                of: catalog, for: profile)
                == Set(catalog.groups.flatMap(\.choices).map(\.format)))
    }

    private static func error(_ format: Format, _ weights: Matrix, _ pool: ThreadPool) throws -> Double {
        let quantized: Matrix
        switch format {
        case .float16: return 0
        case .grid(let grid):
            quantized = try GridQuantizer.quantize(weights, as: grid, clip: true, pool: pool).dequantized()
        case .block(let block): quantized = try BlockQuantizer.quantize(weights, as: block, pool: pool).dequantized()
        }
        return zip(quantized.values, weights.values).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    }
}
