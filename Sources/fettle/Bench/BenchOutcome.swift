internal import Foundation

/// What `fettle bench` found, in bytes, operations and seconds.
struct BenchOutcome: Encodable {
    let prefillTokensPerSecond: Double
    let decodeTokensPerSecond: Double
    let readBandwidth: Double
    let decodeBandwidthFraction: Double
    let int8Peak: Double
    let prefillPeakFraction: Double
    let threads: Int
    let instructionSet: String
    let mode: String
    let formats: [FormatRow]

    /// The products of one format alone.
    struct FormatRow: Encodable {
        let spec: String
        let tensors: Int
        let weights: Int
        let bytes: Int
        /// Packed bytes per second.
        let decode: Double
        /// Operations per second.
        let prefill: Double

        enum CodingKeys: String, CodingKey {
            case spec, tensors, weights, bytes
            case decode = "decode_bytes_per_second"
            case prefill = "prefill_operations_per_second"
        }
    }

    enum CodingKeys: String, CodingKey {
        case threads, mode, formats
        case prefillTokensPerSecond = "prefill_tokens_per_second"
        case decodeTokensPerSecond = "decode_tokens_per_second"
        case readBandwidth = "read_bandwidth"
        case decodeBandwidthFraction = "decode_bandwidth_fraction"
        case int8Peak = "int8_peak"
        case prefillPeakFraction = "prefill_peak_fraction"
        case instructionSet = "instruction_set"
    }

    /// The figures for a terminal.
    func text(prefill: Int, decode: Int, repeats: Int) -> String {
        var table = TextTable(["products", "tensors", "MB", "decode GB/s", "prefill GOPS"])
        for row in formats {
            table.append([
                row.spec, String(row.tensors), String(format: "%.1f", Double(row.bytes) / 1e6),
                String(format: "%.1f", row.decode / 1e9), String(format: "%.0f", row.prefill / 1e9),
            ])
        }
        return """
            \(String(format: "prefill %d: %.1f tokens/s, %.0f %% of the int8 peak of %.0f GOPS", prefill,
                prefillTokensPerSecond, 100 * prefillPeakFraction, int8Peak / 1e9))
            \(String(format: "decode %d: %.1f tokens/s, %.0f %% of the read bandwidth of %.1f GB/s", decode,
                decodeTokensPerSecond, 100 * decodeBandwidthFraction, readBandwidth / 1e9))
            median of \(repeats), \(threads) threads, \(instructionSet), mode \(mode)

            \(table.text)
            """
    }
}
