/// Samples of which those count that were taken while memory was as fast as it usually is.
///
/// The two processors of a virtual machine may share one path to memory in one minute and have two in the next, which changes
/// what they read in a second by half: a rate from the one beside a rate from the other describes no machine. Every sample
/// therefore carries what was read in a second right before and right after it.
package struct SteadySamples<Value> {
    private var samples: [(value: Value, reads: [Double])] = []

    /// How far a read may be from the usual one, as a share of it: reads of one state differ by a tenth.
    private static var tolerance: Double { 0.15 }

    /// None.
    package init() {}

    /// Adds `value`, taken between two reads of so many bytes per second.
    package mutating func add(_ value: Value, between first: Double, and second: Double) {
        samples.append((value, [first, second]))
    }

    /// The samples that were taken while memory gave `usual` bytes per second.
    package func steady(at usual: Double) -> [Value] {
        samples.filter { $0.reads.allSatisfy { abs($0 / usual - 1) <= Self.tolerance } }.map(\.value)
    }

    /// The median of `property` over the steady samples; over all, where none is steady.
    package func median(at usual: Double, _ property: (Value) -> Double) -> Double {
        let steady = steady(at: usual)
        return Stopwatch.median((steady.isEmpty ? samples.map(\.value) : steady).map(property))
    }
}
