/// Takes samples between reads of memory, one read serving the sample before it and the one after.
package struct SteadyMeter {
    private let probe: MachineProbe
    /// Bytes per second.
    private var reads: [Double]

    /// Reads of which the best counts.
    private static let repeats = 2

    /// Reads memory for the first time.
    package init(probe: MachineProbe) {
        self.probe = probe
        reads = [probe.readBandwidth(repeats: Self.repeats)]
    }

    /// Adds to `samples` what `measure` returns.
    package mutating func sample<Value>(
        into samples: inout SteadySamples<Value>, _ measure: () throws -> Value
    ) rethrows {
        let value = try measure()
        let after = probe.readBandwidth(repeats: Self.repeats)
        samples.add(value, between: reads[reads.count - 1], and: after)
        reads.append(after)
    }

    /// Bytes per second that memory gave most of the time.
    package var usualRead: Double { Stopwatch.median(reads) }
}
