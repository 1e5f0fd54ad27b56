/// Samples of which those count that were taken while the machine was as fast as it usually is: a rate from one of its states
/// beside a rate from another describes no machine. Every sample therefore carries the speeds right before and right after it.
package struct SteadySamples<Value> {
    private var samples: [(value: Value, speeds: [MachineSpeed])] = []

    /// None.
    package init() {}

    /// Adds `value`, taken between two probes.
    package mutating func add(_ value: Value, between first: MachineSpeed, and second: MachineSpeed) {
        samples.append((value, [first, second]))
    }

    /// The samples that were taken while the machine was like `usual`.
    package func steady(at usual: MachineSpeed) -> [Value] {
        samples.filter { $0.speeds.allSatisfy { $0.isLike(usual) } }.map(\.value)
    }

    /// The median of `property` over the steady samples; over all, where none is steady.
    package func median(at usual: MachineSpeed, _ property: (Value) -> Double) -> Double {
        let steady = steady(at: usual)
        return Stopwatch.median((steady.isEmpty ? samples.map(\.value) : steady).map(property))
    }
}
