import DeviceProfiles
import Testing

@Suite struct QuantityTests {
    /// The unit table, against the SI and IEC prefixes: every unit once.
    @Test(arguments: [
        ("1 B", Dimension.size, 1.0), ("3 kB", .size, 3000), ("2 MB", .size, 2_000_000), ("1 GB", .size, 1e9),
        ("2 KiB", .size, 2048), ("1 MiB", .size, 1_048_576), ("1.5 GiB", .size, 1_610_612_736),
        ("2 s", .time, 2), ("80 ms", .time, 0.08), ("7 us", .time, 7e-6), ("9 ns", .time, 9e-9),
        ("2 min", .time, 120), ("30m", .time, 1800), ("1 h", .time, 3600), ("30d", .time, 2_592_000),
        ("5 B/s", .bandwidth, 5), ("1 kB/s", .bandwidth, 1000), ("80 MB/s", .bandwidth, 8e7),
        ("12 GB/s", .bandwidth, 1.2e10), ("1 TB/s", .bandwidth, 1e12), ("1 KiB/s", .bandwidth, 1024),
        ("1 MiB/s", .bandwidth, 1_048_576), ("2 GiB/s", .bandwidth, 2_147_483_648),
        ("1 OPS", .throughput, 1), ("1 MOPS", .throughput, 1e6), ("150 GOPS", .throughput, 1.5e11),
        ("2.5 TOPS", .throughput, 2.5e12), ("1 FLOPS", .throughput, 1), ("4 MFLOPS", .throughput, 4e6),
        ("60 GFLOPS", .throughput, 6e10), ("1 TFLOPS", .throughput, 1e12),
        ("2.7 W", .power, 2.7), ("600 mW", .power, 0.6), ("5 uW", .power, 5e-6),
        ("0.5 J", .energy, 0.5), ("3 mJ", .energy, 3e-3), ("3 uJ", .energy, 3e-6), ("3 nJ", .energy, 3e-9),
        ("0.4 pJ", .energy, 4e-13), ("230 fJ", .energy, 2.3e-13),
        ("1 J/bit", .energyPerBit, 1), ("1 nJ/bit", .energyPerBit, 1e-9), ("60 pJ/bit", .energyPerBit, 6e-11),
        ("5 fJ/bit", .energyPerBit, 5e-15), ("1e3 B", .size, 1000), ("2.5E-3 s", .time, 0.0025), ("0 B", .size, 0),
    ])
    func value(text: String, dimension: Dimension, expected: Double) throws {
        #expect(try Quantity(text, as: dimension).value == expected)
    }

    /// Sizes are exact where a double is not, and a part of a byte is no byte.
    @Test(arguments: [
        ("98400000 B", 98_400_000), ("98.4 MB", 98_400_000), ("0.3 GiB", 322_122_547), ("4.7 kB", 4700),
        ("9007199254740993 B", 9_007_199_254_740_993), ("0.9999999999 B", 0),
    ])
    func wholeBytes(text: String, expected: Int) throws {
        #expect(try Quantity(text, as: .size).whole == expected)
    }

    @Test(arguments: [
        ("900 MQ", Dimension.size, "\"900 MQ\" has no known unit; write 900 MB or 900 MiB"),
        ("900 mb", .size, "\"900 mb\" has no known unit; write 900 MB or 900 MiB"),
        ("900", .size, "\"900\" has no unit; write 900 MB or 900 MiB"),
        ("900 ", .size, "\"900 \" has no unit; write 900 MB or 900 MiB"),
        ("5 s", .size, "\"5 s\" is a time, not a size; write 5 MB or 5 MiB"),
        ("5 MB", .bandwidth, "\"5 MB\" is a size, not a bandwidth; write 5 GB/s or 5 MB/s"),
        ("60 pJ", .energyPerBit, "\"60 pJ\" is an energy, not an energy per bit; write 60 pJ/bit or 60 nJ/bit"),
        ("80 msec", .time, "\"80 msec\" has no known unit; write 80 ms or 80 min"),
        ("12 GBps", .bandwidth, "\"12 GBps\" has no known unit; write 12 GB/s or 12 GiB/s"),
        ("150 GFLOP", .throughput, "\"150 GFLOP\" has no known unit; write 150 GFLOPS or 150 FLOPS"),
        ("-5 MB", .size, "\"-5 MB\" is negative; write a number and a unit, such as 1 MB"),
        ("much", .size, "\"much\" is not a size; write a number and a unit, such as 1 MB"),
        (".5 MB", .size, "\".5 MB\" is not a size; write a number and a unit, such as 1 MB"),
        ("1.2.3 MB", .size, "\"1.2.3 MB\" is not a size; write a number and a unit, such as 1 MB"),
        ("inf MB", .size, "\"inf MB\" is not a size; write a number and a unit, such as 1 MB"),
        ("1e99 MB", .size, "\"1e99 MB\" is not a size; write a number and a unit, such as 1 MB"),
        ("1e30 GB", .size, "\"1e30 GB\" is too large; no device has so much"),
    ])
    func refusal(text: String, dimension: Dimension, message: String) {
        let failure = #expect(throws: Quantity.Failure.self) { try Quantity(text, as: dimension) }
        #expect(failure?.message == message)
    }

    @Test func placeAndKeyPathStandBeforeTheMessage() {
        #expect(
            mistake(below: "memory:\n  budget:  900 MQ\n")
                == "p.yaml:4:12: memory.budget: \"900 MQ\" has no known unit; write 900 MB or 900 MiB")
        #expect(
            mistake(below: "memory: {budget: 0 B}\n")
                == "p.yaml:3:18: memory.budget: \"0 B\" must be more than 0; write it, or leave the key out for no "
                + "constraint")
    }

    @Test func theSameQuantityInOtherUnitsIsTheSameProfile() throws {
        let first = try profile("latency: {decode: {goal: 80 ms}}\nmemory: {bandwidth: 12 GB/s, budget: 98.4 MB}")
        let second = try profile("memory: {budget: 98400 kB, bandwidth: 12000 MB/s}\nlatency: {decode: {goal: 0.08 s}}")
        #expect(first.digest == second.digest)
    }
}
