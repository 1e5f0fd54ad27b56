internal import CKernels
package import Compute

/// What this machine can do at most on a pool's threads, measured in this process: what kernels are held against.
package struct MachineRates: Sendable {
    /// Bytes per second: the best of five reads of 512 MB in huge pages.
    package let readBandwidth: Double
    /// Operations per second of int8 multiply-adds in registers, a multiply-add being two: the best of five runs.
    package let int8Peak: Double

    private static let readBytes = 512 << 20
    private static let rounds: Int64 = 1 << 19
    private static let repeats = 5

    /// Measures for about half a second. Throws where the system has no memory to read.
    package init(
        pool: ThreadPool, clock: some Clock<Duration> = ContinuousClock()
    ) throws(RuntimeError) {
        let region = try MappedRegion(byteCount: Self.readBytes, for: "bandwidth probe", hugePages: true)
        // Pages that were never written are all the same page of zeros.
        region.base.initializeMemory(as: UInt8.self, repeating: 1, count: Self.readBytes)
        let isa = pool.instructionSet.cValue
        let share = Self.readBytes / pool.threads / 256 * 256
        let read = Self.best(by: clock) {
            pool.run { thread, _ in
                let start = (region.base + thread * share).assumingMemoryBound(to: UInt8.self)
                _ = fettle_probe_read(isa, start, share)
            }
        }
        readBandwidth = Double(share * pool.threads) / read
        let operations = fettle_probe_products(isa, Self.rounds) * Int64(pool.threads)
        let products = Self.best(by: clock) {
            pool.run { _, _ in _ = fettle_probe_products(isa, Self.rounds) }
        }
        int8Peak = Double(operations) / products
        withExtendedLifetime(region) {}
    }

    /// Seconds of the fastest of some runs.
    private static func best(by clock: some Clock<Duration>, _ body: () -> Void) -> Double {
        (0..<repeats).reduce(.infinity) { best, _ in min(best, Stopwatch.seconds(by: clock, body)) }
    }
}
