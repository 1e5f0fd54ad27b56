internal import CKernels
internal import Synchronization

/// A fixed number of threads that share one piece of work at a time (CKernels/ThreadPool.c).
///
/// A region is synchronous and not reentrant: one caller at a time, and no region inside a region. What a region
/// computes must not depend on which thread does what, so that results are the same at any thread count.
package final class ThreadPool: @unchecked Sendable {
    /// How many threads take part, the caller's included.
    package let threads: Int
    /// The instruction set that kernels running on this pool use.
    package let instructionSet: InstructionSet
    /// The C pool, for kernels that run a whole region themselves. Nil for a pool of one thread without workers.
    package let handle: OpaquePointer?
    /// One buffer for each thread, grown on demand and kept between regions: page faults would cost more than the work.
    private let scratch: UnsafeMutablePointer<UnsafeMutableRawBufferPointer>

    /// A pool of `threads` threads; where the system refuses to start them, a pool of one.
    package init(threads: Int, instructionSet: InstructionSet = .best) {
        let pool = fettle_pool_create(Int32(clamping: max(1, threads)))
        self.handle = pool
        self.threads = pool == nil ? 1 : max(1, threads)
        self.instructionSet = instructionSet
        scratch = .allocate(capacity: self.threads)
        scratch.initialize(repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0), count: self.threads)
    }

    deinit {
        fettle_pool_destroy(handle)
        for thread in 0..<threads { scratch[thread].deallocate() }
        scratch.deallocate()
    }

    /// Calls `body` once on each thread with its index and the number of threads, and returns when all have finished.
    package func run(_ body: (_ thread: Int, _ threads: Int) -> Void) {
        guard let handle, threads > 1 else { return body(0, 1) }
        withoutActuallyEscaping(body) { escapable in
            var context = Region(body: escapable)
            withUnsafeMutablePointer(to: &context) { pointer in
                fettle_pool_run(
                    handle,
                    { context, thread, threads in
                        context?.assumingMemoryBound(to: Region.self).pointee.body(Int(thread), Int(threads))
                    }, pointer)
            }
        }
    }

    /// Calls `body` once for each index in `0..<count`, in chunks that free threads take in turn.
    package func forEach(_ count: Int, chunk: Int = 1, _ body: (_ index: Int) -> Void) {
        forEach(count, chunk: chunk) { _, index in body(index) }
    }

    /// As above, and tells `body` which thread it is on, for the sake of `scratch(thread:floats:)`.
    package func forEach(_ count: Int, chunk: Int = 1, _ body: (_ thread: Int, _ index: Int) -> Void) {
        guard count > 0 else { return }
        let next = Atomic<Int>(0)
        run { thread, _ in
            while true {
                let first = next.add(chunk, ordering: .relaxed).oldValue
                guard first < count else { return }
                for index in first..<min(first + chunk, count) { body(thread, index) }
            }
        }
    }

    /// Memory for `floats` numbers at 64-byte alignment, with any contents, that is `thread`'s until it asks again.
    /// Call it on that thread inside a region.
    package func scratch(thread: Int, floats: Int) -> UnsafeMutablePointer<Float> {
        let bytes = floats * MemoryLayout<Float>.stride
        if scratch[thread].count < bytes {
            scratch[thread].deallocate()
            scratch[thread] = .allocate(byteCount: bytes, alignment: 64)
        }
        guard let base = scratch[thread].baseAddress else { preconditionFailure("scratch memory of no numbers") }
        return base.assumingMemoryBound(to: Float.self)
    }

    private struct Region {
        let body: (Int, Int) -> Void
    }
}
