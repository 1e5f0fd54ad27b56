internal import Compute
internal import Foundation
internal import IntegerRuntime
internal import Quantization

/// A machine as `fettle profile measure` writes it.
struct MeasuredProfile {
    let rates: MachineRates
    let kernels: [(spec: Spec, rates: ProductRates)]
    let pool: ThreadPool
    /// Bytes of the machine.
    let memory: Int

    /// What is measured: every width and grid, with the activations that the runtime has.
    static let specs = [
        "u8g32", "u8g64", "u8g128", "u8c", "u8c/int8", "u8t/int8", "u6g32", "u5g32", "u4g32", "u4g64", "u4g128", "u4c",
        "u4c/int8", "u3g32", "u2g32", "a8g32", "a4g32", "a4g64", "a4g128", "a3g32", "a2g32", "k4g32", "k4g64", "k4c",
        "k4t", "k3g32", "l4g32", "l3g32", "u8g32/float", "u4g32/float", "f16",
    ]

    /// Rows and columns of the measured matrices, those of a model of a few hundred million parameters, and how many there
    /// are: at 4 bits more than any cache holds.
    private static let shape = (rows: 4096, columns: 2048)
    private static let decodeMatrices = 24

    /// The speed of a format.
    static func rates(of spec: Spec, pool: ThreadPool) throws -> ProductRates {
        let layout = try R16Layout(storing: spec.format, rows: shape.rows, columns: shape.columns)
        // Any bytes are legal codes; as scales, these are 0.004.
        let bytes = AlignedBytes(count: layout.byteCount) { target in
            target.initializeMemory(as: UInt8.self, repeating: 0x1c)
        }
        let arena = try WeightsArena(
            holding: [R16Layout](repeating: layout, count: decodeMatrices), threads: pool.threads)
        let matrices = try (0..<decodeMatrices).map { _ in
            try RuntimeMatrix(
                format: spec.format, layout: layout, placed: try arena.copy(bytes, layout: layout),
                activation: spec.activation)
        }
        return try ProductRates(of: matrices, repeats: 3, pool: pool)
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
        let float = kernels.first { $0.spec.format == .float16 }?.rates.prefill ?? 0
        let rows = kernels.map { spec, rates in
            "  - {format: \(spec.format), activation: \(spec.activation.rawValue), decode: \(figure(rates.decode / 1e9)) GB/s, "
                + "prefill: \(figure(rates.prefill / 1e9)) GOPS}\n"
        }
        return """
            # Measured by `fettle profile measure` with \(pool.threads) threads. Goals and limits are yours to add.
            fettle: 1
            name: this-machine
            description: This machine, \(pool.instructionSet.rawValue), \(pool.threads) threads
            compute:
              cores: \(pool.threads)
              integer: {dot: \(dot)}
              throughput: {int8: \(figure(rates.int8Peak / 1e9)) GOPS, float: \(figure(float / 1e9)) GFLOPS}
            memory: {budget: \(memory / 2 >> 20) MiB, bandwidth: \(figure(rates.readBandwidth / 1e9)) GB/s}
            kernels:
            \(rows.joined())
            """.trimmingCharacters(in: .newlines) + "\n"
    }

    /// Three digits are more than a measurement has.
    private func figure(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.1f", value) }
}
