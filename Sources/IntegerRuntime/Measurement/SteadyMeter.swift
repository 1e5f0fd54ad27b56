/// Takes samples between probes of the machine's speed, one probe serving the sample before it and the one after.
package struct SteadyMeter {
    private let probe: MachineProbe
    private var speeds: [MachineSpeed]

    /// Runs of a probe of which the best counts.
    private static let repeats = 2

    /// Probes the machine for the first time.
    package init(probe: MachineProbe) {
        self.probe = probe
        speeds = [Self.speed(probe)]
    }

    /// Adds to `samples` what `measure` returns.
    package mutating func sample<Value>(
        into samples: inout SteadySamples<Value>, _ measure: () throws -> Value
    ) rethrows {
        let value = try measure()
        let after = Self.speed(probe)
        samples.add(value, between: speeds[speeds.count - 1], and: after)
        speeds.append(after)
    }

    /// The machine as it was most of the time.
    package var usual: MachineSpeed {
        MachineSpeed(
            read: Stopwatch.median(speeds.map(\.read)), int8Peak: Stopwatch.median(speeds.map(\.int8Peak)))
    }

    private static func speed(_ probe: MachineProbe) -> MachineSpeed {
        MachineSpeed(
            read: probe.readBandwidth(repeats: repeats), int8Peak: probe.int8Peak(repeats: repeats))
    }
}
