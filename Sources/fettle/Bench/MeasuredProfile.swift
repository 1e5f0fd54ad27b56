internal import Compute
internal import DeviceProfiles
internal import Foundation
internal import IntegerRuntime
internal import Quantization
internal import Tuning

/// A machine as `fettle profile measure` writes it.
///
/// Everything is measured once in each of several rounds, between probes of the machine's speed, and medians count of what was
/// measured while the machine was as fast as it was most of the time.
struct MeasuredProfile {
    private var layers = SteadySamples<LayerRates>()
    private var kernels: [(spec: Spec, samples: SteadySamples<ProductRates>)]
    private var meter: SteadyMeter
    private let pool: ThreadPool
    /// Bytes of the machine.
    private let memory: Int

    /// Rows and columns of the measured matrices: as many weights in one as wide as a model of a billion parameters as in narrow ones
    /// of a model of a hundred million, since what a format's kernel loses on either differs by a tenth and more. They are repeated to
    /// about `KernelRate.streamedBytes` of each format: more than a cache holds, and the same, so that it holds the same share of
    /// each.
    private static let shapes = [(rows: 2048, columns: 2048)] + Array(repeating: (rows: 1536, columns: 576), count: 5)
    private static let rounds = 5
    /// Samples that a rate should be the median of, and the rounds that may be added until all are.
    private static let enough = 3
    private static let extraRounds = 5

    /// Measures for about a minute, and up to two where the machine changes its speed; `progress` is told the share that is done.
    init(pool: ThreadPool, memory: Int, progress: (Double) -> Void) throws {
        self.pool = pool
        self.memory = memory
        meter = SteadyMeter(probe: try MachineProbe(pool: pool))
        kernels = CandidateFormats.measured.map { ($0, SteadySamples()) }
        for round in 0..<Self.rounds + Self.extraRounds {
            let isExtra = round >= Self.rounds
            if !isExtra || isShort(layers) { try meter.sample(into: &layers) { try LayerRates(pool: pool) } }
            for index in kernels.indices where !isExtra || isShort(kernels[index].samples) {
                let spec = kernels[index].spec
                try meter.sample(into: &kernels[index].samples) {
                    try ProductRates(
                        of: Self.matrices(of: spec, pool: pool),
                        few: Self.repeats(of: spec, KernelRate.partlyCachedBytes) * Self.shapes.count,
                        repeats: 1, pool: pool)
                }
                let done = Double(round) + Double(index + 1) / Double(kernels.count)
                progress(min(1, done / Double(Self.rounds)))
            }
        }
    }

    private func isShort<Value>(_ samples: SteadySamples<Value>) -> Bool {
        samples.steady(at: meter.usual).count < Self.enough
    }

    /// The matrices that a format's speed is measured with.
    static func matrices(of spec: Spec, pool: ThreadPool) throws -> [RuntimeMatrix] {
        let repeats = repeats(of: spec, KernelRate.streamedBytes)
        return try matrices(of: spec, shapes: (0..<repeats).flatMap { _ in shapes }, pool: pool)
    }

    /// How often `shapes` have about `bytes` bytes.
    private static func repeats(of spec: Spec, _ bytes: Int) -> Int {
        let one = shapes.reduce(0) { $0 + spec.format.packedBytes(rows: $1.rows, columns: $1.columns) }
        return max(1, (bytes + one / 2) / one)
    }

    /// Matrices of no particular numbers, placed as a model's are.
    static func matrices(
        of spec: Spec, shapes: [(rows: Int, columns: Int)], pool: ThreadPool
    ) throws -> [RuntimeMatrix] {
        let layouts = try shapes.map { try R16Layout(storing: spec.format, rows: $0.rows, columns: $0.columns) }
        let arena = try WeightsArena(holding: layouts, threads: pool.threads)
        return try layouts.map { layout in
            // Any bytes are legal codes; as scales, these are 0.004.
            let bytes = AlignedBytes(count: layout.byteCount) { target in
                target.initializeMemory(as: UInt8.self, repeating: 0x1c)
            }
            return try RuntimeMatrix(
                format: spec.format, layout: layout, placed: try arena.copy(bytes, layout: layout),
                activation: spec.activation)
        }
    }

    /// The profile; goals are left to whoever uses it.
    var yaml: String {
        let dot =
            switch pool.instructionSet {
            case .scalar: "none"
            case .avx2: "avx2"
            case .avx512: "vnni"
            case .sdot: "sdot"
            case .i8mm: "i8mm"
            }
        let rows = kernels.map { spec, samples in
            "  - {format: \(spec.format), activation: \(spec.activation.rawValue), "
                + "decode: \(billions(samples, \.decode)) GB/s, cached-decode: \(billions(samples, \.cachedDecode)) GB/s, "
                + "prefill: \(billions(samples, \.prefill)) GOPS}\n"
        }
        let attention = KVFormat.allCases.map { kv in
            "\(kv.rawValue): \(billions(layers) { $0.attention[kv] ?? 0 }) GOPS"
        }
        let floats = billions(layers) { $0.attention[.float16] ?? 0 }
        return """
            # Measured by `fettle profile measure` with \(pool.threads) threads. Goals and limits are yours to add.
            fettle: 1
            name: this-machine
            description: This machine, \(pool.instructionSet.rawValue), \(pool.threads) threads
            compute:
              cores: \(pool.threads)
              integer: {dot: \(dot)}
              throughput: {int8: \(billions(meter.usual.int8Peak)) GOPS, float: \(floats) GFLOPS}
              attention: {\(attention.joined(separator: ", "))}
              overhead: {decode: \(microseconds(layers, \.decode)) us, prefill: \(microseconds(layers, \.prefill)) us}
            memory: {budget: \((memory / 2) >> 20) MiB, bandwidth: \(billions(meter.usual.read)) GB/s}
            kernels:
            \(rows.joined())
            """.trimmingCharacters(in: .newlines) + "\n"
    }

    /// A median time; what is too short to measure is a nanosecond, since a profile has no time of zero.
    private func microseconds<Value>(_ samples: SteadySamples<Value>, _ time: (Value) -> Double) -> String {
        String(format: "%.3f", max(samples.median(at: meter.usual, time), 1e-9) * 1e6)
    }

    private func billions<Value>(_ samples: SteadySamples<Value>, _ rate: (Value) -> Double) -> String {
        billions(samples.median(at: meter.usual, rate))
    }

    /// A rate, in billions. Three digits are more than a measurement has.
    private func billions(_ rate: Double) -> String {
        let value = rate / 1e9
        return String(format: value < 10 ? "%.2f" : "%.1f", value)
    }
}
