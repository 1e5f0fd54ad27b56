internal import CKernels
package import Compute

/// What this machine can do at most on a pool's threads, measured in this process: what kernels are held against.
package struct MachineRates: Sendable {
    /// Bytes per second: the best of five reads of `ReadProbe`.
    package let readBandwidth: Double
    /// Operations per second of int8 multiply-adds in registers, a multiply-add being two: the best of five runs.
    package let int8Peak: Double

    private static let rounds: Int64 = 1 << 19
    private static let repeats = 5

    /// Measures for about half a second. Throws where the system has no memory to read.
    package init(
        pool: ThreadPool, clock: some Clock<Duration> = ContinuousClock()
    ) throws(RuntimeError) {
        readBandwidth = try ReadProbe(pool: pool).bandwidth(repeats: Self.repeats, clock: clock)
        let isa = pool.instructionSet.cValue
        let operations = fettle_probe_products(isa, Self.rounds) * Int64(pool.threads)
        let products = Stopwatch.least(of: Self.repeats, by: clock) {
            pool.run { _, _ in _ = fettle_probe_products(isa, Self.rounds) }
        }
        int8Peak = Double(operations) / products
    }
}
