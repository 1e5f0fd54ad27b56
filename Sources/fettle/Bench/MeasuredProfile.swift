internal import Compute
internal import Foundation
internal import IntegerRuntime
internal import Quantization

/// A machine as `fettle profile measure` writes it.
struct MeasuredProfile {
    let rates: MachineRates
    let layer: LayerRates
    let kernels: [(spec: Spec, rates: ProductRates)]
    let pool: ThreadPool
    /// Bytes of the machine.
    let memory: Int

    /// Rows and columns of the measured matrices, those of a model of a few hundred million parameters, and how many there
    /// are: at 4 bits more than any cache holds.
    private static let shape = (rows: 4096, columns: 2048)
    private static let decodeMatrices = 24

    /// The speed of a format.
    static func rates(of spec: Spec, pool: ThreadPool) throws -> ProductRates {
        try ProductRates(
            of: matrices(of: spec, rows: shape.rows, columns: shape.columns, count: decodeMatrices, pool: pool),
            repeats: 3, pool: pool)
    }

    /// Matrices of no particular numbers, placed as a model's are.
    static func matrices(
        of spec: Spec, rows: Int, columns: Int, count: Int, pool: ThreadPool
    ) throws -> [RuntimeMatrix] {
        let layout = try R16Layout(storing: spec.format, rows: rows, columns: columns)
        // Any bytes are legal codes; as scales, these are 0.004.
        let bytes = AlignedBytes(count: layout.byteCount) { target in
            target.initializeMemory(as: UInt8.self, repeating: 0x1c)
        }
        let arena = try WeightsArena(holding: [R16Layout](repeating: layout, count: count), threads: pool.threads)
        return try (0..<count).map { _ in
            try RuntimeMatrix(
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
              throughput: {int8: \(figure(rates.int8Peak / 1e9)) GOPS, float: \(figure(layer.attention / 1e9)) GFLOPS}
              overhead: {decode: \(time(layer.decode)), prefill: \(time(layer.prefill))}
            memory: {budget: \((memory / 2) >> 20) MiB, bandwidth: \(figure(rates.readBandwidth / 1e9)) GB/s}
            kernels:
            \(rows.joined())
            """.trimmingCharacters(in: .newlines) + "\n"
    }

    /// A time in microseconds; what is too short to measure is a nanosecond, since a profile has no time of zero.
    private func time(_ seconds: Double) -> String { String(format: "%.3f us", max(seconds, 1e-9) * 1e6) }

    /// Three digits are more than a measurement has.
    private func figure(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.1f", value) }
}
