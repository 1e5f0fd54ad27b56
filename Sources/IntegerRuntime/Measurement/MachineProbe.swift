internal import CKernels
package import Compute

/// What this machine can do at most on a pool's threads, measured in this process: what kernels are held against.
package struct MachineProbe {
    private let region: MappedRegion
    private let pool: ThreadPool
    private let share: Int

    private static let readBytes = 512 << 20
    private static let rounds: Int64 = 1 << 19

    /// Takes 512 MB in huge pages, more than any cache holds. Throws where the system has none.
    package init(pool: ThreadPool) throws(RuntimeError) {
        region = try MappedRegion(byteCount: Self.readBytes, for: "bandwidth probe", hugePages: true)
        // Pages that were never written are all the same page of zeros.
        region.base.initializeMemory(as: UInt8.self, repeating: 1, count: Self.readBytes)
        self.pool = pool
        share = Self.readBytes / pool.threads / 256 * 256
    }

    /// Bytes of the region that are read in a second: the best of some reads.
    package func readBandwidth(repeats: Int, clock: some Clock<Duration> = ContinuousClock()) -> Double {
        let isa = pool.instructionSet.cValue
        let seconds = Stopwatch.least(of: repeats, by: clock) {
            pool.run { thread, _ in
                let start = (region.base + thread * share).assumingMemoryBound(to: UInt8.self)
                _ = fettle_probe_read(isa, start, share)
            }
        }
        return Double(share * pool.threads) / seconds
    }

    /// Operations per second of int8 multiply-adds in registers, a multiply-add being two: the best of some runs.
    package func int8Peak(repeats: Int = 5, clock: some Clock<Duration> = ContinuousClock()) -> Double {
        let isa = pool.instructionSet.cValue
        let operations = fettle_probe_products(isa, Self.rounds) * Int64(pool.threads)
        let seconds = Stopwatch.least(of: repeats, by: clock) {
            pool.run { _, _ in _ = fettle_probe_products(isa, Self.rounds) }
        }
        return Double(operations) / seconds
    }
}
