/// What a quantity measures, and the units that it may be written in.
package enum Dimension: String, Sendable, CaseIterable {
    /// Bytes.
    case size
    /// Seconds.
    case time
    /// Bytes per second.
    case bandwidth
    /// Operations per second; a multiply-add is two.
    case throughput
    /// Watts.
    case power
    /// Joules.
    case energy
    /// Joules per bit.
    case energyPerBit = "energy per bit"

    /// A unit is `multiplier * 10^exponent` base units: exact, where a single floating-point factor would not be.
    struct Unit: Sendable {
        var name: String
        var multiplier: Int
        var exponent: Int

        init(_ name: String, _ multiplier: Int = 1, e exponent: Int = 0) {
            self.name = name
            self.multiplier = multiplier
            self.exponent = exponent
        }
    }

    /// The units, base unit first. They are case-sensitive, as in the SI: mW is not MW.
    var units: [Unit] {
        switch self {
        case .size:
            [
                Unit("B"), Unit("kB", e: 3), Unit("MB", e: 6), Unit("GB", e: 9),
                Unit("KiB", 1 << 10), Unit("MiB", 1 << 20), Unit("GiB", 1 << 30),
            ]
        case .time:
            [
                Unit("s"), Unit("ms", e: -3), Unit("us", e: -6), Unit("ns", e: -9),
                Unit("min", 60), Unit("m", 60), Unit("h", 3600), Unit("d", 86_400),
            ]
        case .bandwidth:
            [
                Unit("B/s"), Unit("kB/s", e: 3), Unit("MB/s", e: 6), Unit("GB/s", e: 9), Unit("TB/s", e: 12),
                Unit("KiB/s", 1 << 10), Unit("MiB/s", 1 << 20), Unit("GiB/s", 1 << 30),
            ]
        case .throughput:
            [
                Unit("OPS"), Unit("MOPS", e: 6), Unit("GOPS", e: 9), Unit("TOPS", e: 12),
                Unit("FLOPS"), Unit("MFLOPS", e: 6), Unit("GFLOPS", e: 9), Unit("TFLOPS", e: 12),
            ]
        case .power: [Unit("W"), Unit("mW", e: -3), Unit("uW", e: -6)]
        case .energy:
            [
                Unit("J"), Unit("mJ", e: -3), Unit("uJ", e: -6), Unit("nJ", e: -9), Unit("pJ", e: -12),
                Unit("fJ", e: -15),
            ]
        case .energyPerBit:
            [Unit("J/bit"), Unit("nJ/bit", e: -9), Unit("pJ/bit", e: -12), Unit("fJ/bit", e: -15)]
        }
    }

    /// Two units that people write, for messages about a missing or foreign one.
    var usualUnits: (String, String) {
        switch self {
        case .size: ("MB", "MiB")
        case .time: ("ms", "s")
        case .bandwidth: ("GB/s", "MB/s")
        case .throughput: ("GOPS", "TOPS")
        case .power: ("W", "mW")
        case .energy: ("J", "mJ")
        case .energyPerBit: ("pJ/bit", "nJ/bit")
        }
    }

    /// With its article, for messages.
    var described: String { self == .energy || self == .energyPerBit ? "an \(rawValue)" : "a \(rawValue)" }
}
