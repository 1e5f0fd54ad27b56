internal import Compute
internal import Foundation
internal import IntegerRuntime
internal import Quantization
internal import Tuning

/// A machine as `fettle profile measure` writes it.
///
/// Everything is measured once in each of several rounds, and medians over the rounds count: a virtual machine's memory may be
/// twice as fast in one second as in the next, and rates that were taken in different seconds would belong to different machines.
struct MeasuredProfile {
    private let machine: [MachineRates]
    private let layers: [LayerRates]
    private let kernels: [(spec: Spec, rounds: [ProductRates])]
    private let pool: ThreadPool
    /// Bytes of the machine.
    private let memory: Int

    /// Rows and columns of the measured matrices, those of a model of a few hundred million parameters, and how many there
    /// are: at 4 bits more than any cache holds.
    private static let shape = (rows: 4096, columns: 2048)
    private static let decodeMatrices = 24
    private static let rounds = 5

    /// Measures for about a minute; `progress` is told the share that is done.
    init(pool: ThreadPool, memory: Int, progress: (Double) -> Void) throws {
        let specs = CandidateFormats.measured
        var machine: [MachineRates] = []
        var layers: [LayerRates] = []
        var kernels = [[ProductRates]](repeating: [], count: specs.count)
        for round in 0..<Self.rounds {
            machine.append(try MachineRates(pool: pool))
            layers.append(try LayerRates(pool: pool))
            for (index, spec) in specs.enumerated() {
                kernels[index].append(try ProductRates(of: Self.matrices(of: spec, pool: pool), repeats: 1, pool: pool))
                progress((Double(round) + Double(index + 1) / Double(specs.count)) / Double(Self.rounds))
            }
        }
        self.machine = machine
        self.layers = layers
        self.kernels = zip(specs, kernels).map { ($0, $1) }
        self.pool = pool
        self.memory = memory
    }

    /// The matrices that a format's speed is measured with.
    static func matrices(of spec: Spec, pool: ThreadPool) throws -> [RuntimeMatrix] {
        try matrices(of: spec, shapes: [(rows: Int, columns: Int)](repeating: shape, count: decodeMatrices), pool: pool)
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
        let rows = kernels.map { spec, rounds in
            "  - {format: \(spec.format), activation: \(spec.activation.rawValue), "
                + "decode: \(billions(rounds.map(\.decode))) GB/s, prefill: \(billions(rounds.map(\.prefill))) GOPS}\n"
        }
        let attention = KVFormat.allCases.map { kv in
            "\(kv.rawValue): \(billions(layers.compactMap { $0.attention[kv] })) GOPS"
        }
        let floats = billions(layers.compactMap { $0.attention[.float16] })
        return """
            # Measured by `fettle profile measure` with \(pool.threads) threads. Goals and limits are yours to add.
            fettle: 1
            name: this-machine
            description: This machine, \(pool.instructionSet.rawValue), \(pool.threads) threads
            compute:
              cores: \(pool.threads)
              integer: {dot: \(dot)}
              throughput: {int8: \(billions(machine.map(\.int8Peak))) GOPS, float: \(floats) GFLOPS}
              attention: {\(attention.joined(separator: ", "))}
              overhead: {decode: \(time(layers.map(\.decode))), prefill: \(time(layers.map(\.prefill)))}
            memory: {budget: \((memory / 2) >> 20) MiB, bandwidth: \(billions(machine.map(\.readBandwidth))) GB/s}
            kernels:
            \(rows.joined())
            """.trimmingCharacters(in: .newlines) + "\n"
    }

    /// The median time in microseconds; what is too short to measure is a nanosecond, since a profile has no time of zero.
    private func time(_ seconds: [Double]) -> String {
        String(format: "%.3f us", max(Stopwatch.median(seconds), 1e-9) * 1e6)
    }

    /// The median of rates, in billions. Three digits are more than a measurement has.
    private func billions(_ rates: [Double]) -> String {
        let value = Stopwatch.median(rates) / 1e9
        return String(format: value < 10 ? "%.2f" : "%.1f", value)
    }
}
