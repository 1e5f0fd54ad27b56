internal import CKernels
package import Compute

/// More memory than any cache holds, which a pool's threads read.
package struct ReadProbe {
    private let region: MappedRegion
    private let pool: ThreadPool
    private let share: Int

    private static let bytes = 512 << 20

    /// Takes 512 MB in huge pages. Throws where the system has none.
    package init(pool: ThreadPool) throws(RuntimeError) {
        region = try MappedRegion(byteCount: Self.bytes, for: "bandwidth probe", hugePages: true)
        // Pages that were never written are all the same page of zeros.
        region.base.initializeMemory(as: UInt8.self, repeating: 1, count: Self.bytes)
        self.pool = pool
        share = Self.bytes / pool.threads / 256 * 256
    }

    /// Bytes per second: the best of some reads.
    package func bandwidth(repeats: Int = 5, clock: some Clock<Duration> = ContinuousClock()) -> Double {
        let isa = pool.instructionSet.cValue
        let seconds = Stopwatch.least(of: repeats, by: clock) {
            pool.run { thread, _ in
                let start = (region.base + thread * share).assumingMemoryBound(to: UInt8.self)
                _ = fettle_probe_read(isa, start, share)
            }
        }
        return Double(share * pool.threads) / seconds
    }
}
