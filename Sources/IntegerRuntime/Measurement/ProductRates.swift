internal import CKernels
package import Compute

/// How fast the products of some matrices run, one after the other, with nothing between them.
package struct ProductRates: Sendable {
    /// Packed bytes per second where each matrix is multiplied with one token.
    package let decode: Double
    /// The same with the first of the matrices only, of which caches may hold a good part.
    package let cachedDecode: Double
    /// Operations per second with a chunk of tokens, a multiply-add being two.
    package let prefill: Double

    /// Runs with one token for each with a chunk of them, which takes ten times as long and more.
    private static let decodeRuns = 5

    /// Medians of `repeats` runs over `matrices`, of `decodeRuns` times as many with one token; the first `few` (all where it is nil)
    /// are also run with one token by themselves. Throws where the system has no memory for inputs and results.
    package init(
        of matrices: [RuntimeMatrix], few: Int? = nil, tokens: Int = RuntimeMemory.defaultPrefillChunk,
        repeats: Int = 5,
        pool: ThreadPool, clock: some Clock<Duration> = ContinuousClock()
    ) throws(RuntimeError) {
        let weights = matrices.reduce(0) { $0 + $1.rows * $1.columns }
        let many = try ProductRun(matrices, tokens: tokens, pool: pool)
        func decode(_ matrices: [RuntimeMatrix]) throws(RuntimeError) -> Double {
            let run = try ProductRun(matrices, tokens: 1, pool: pool)
            let bytes = matrices.reduce(0) { $0 + $1.packedBytes }
            return Double(bytes) / run.seconds(repeats: Self.decodeRuns * repeats, by: clock)
        }
        self.decode = try decode(matrices)
        cachedDecode = if let few, few < matrices.count { try decode(Array(matrices.prefix(few))) } else { self.decode }
        prefill = Double(2 * weights * tokens) / many.seconds(repeats: repeats, by: clock)
    }
}

/// Matrices with inputs, results and scratch space of their own.
private struct ProductRun {
    private let steps: [(product: ProductStep, input: fettle_input)]
    private let tokens: Int
    private let pool: ThreadPool
    private let region: MappedRegion
    private let results: UnsafeMutablePointer<Float>
    private let scratch: UnsafeMutableRawPointer
    private let scratchBytes: Int
    private let matrices: [RuntimeMatrix]

    init(_ matrices: [RuntimeMatrix], tokens: Int, pool: ThreadPool) throws(RuntimeError) {
        let widest = matrices.map(\.columns).max() ?? 32
        let longest = matrices.map(\.rows).max() ?? 1
        var plan = RegionPlan()
        let layouts = Array(Set(matrices.map(\.inputLayout)))
        let buffers = layouts.map {
            InputBuffers.Plan(
                places: InputBuffers.wholePanels(tokens * $0.placesPerToken), columns: $0.columns, in: &plan)
        }
        let rows = plan.reserve(tokens * widest, of: Float.self)
        let results = plan.reserve(tokens * longest, of: Float.self)
        scratchBytes = fettle_packed_product_scratch(Int32(widest), Int32(tokens))
        let scratch = plan.reserve(scratchBytes * pool.threads)
        let region = try MappedRegion(byteCount: plan.byteCount, for: "measured products")
        let isa = pool.instructionSet.cValue
        let floats = (region.base + rows).assumingMemoryBound(to: Float.self)
        // Numbers of every size up to 1; what they are does not change the time.
        for index in 0..<tokens * widest { floats[index] = Float(index * 7919 % 1999 - 999) / 999 }
        var inputs: [InputLayout: fettle_input] = [:]
        for (layout, buffer) in zip(layouts, buffers) {
            let input = layout.input(
                tokens: tokens, rows: floats, buffers: InputBuffers(plan: buffer, base: region.base),
                instructionSet: isa, position: 1)
            Share(thread: 0, threads: 1, pool: nil).quantize(input, isa)
            inputs[layout] = input
        }
        steps = matrices.compactMap { matrix in
            inputs[matrix.inputLayout].map { (ProductStep(matrix: matrix.kernel, blocks: matrix.rowBlocks), $0) }
        }
        self.tokens = tokens
        self.matrices = matrices
        self.pool = pool
        self.region = region
        self.results = (region.base + results).assumingMemoryBound(to: Float.self)
        self.scratch = region.base + scratch
    }

    /// The median over `repeats` runs, after one that is not counted.
    func seconds(repeats: Int, by clock: some Clock<Duration>) -> Double {
        let isa = pool.instructionSet.cValue
        let all = (0...max(1, repeats)).map { _ in
            Stopwatch.seconds(by: clock) {
                pool.run { thread, threads in
                    let share = Share(thread: thread, threads: threads, pool: pool.handle)
                    for (index, (product, input)) in steps.enumerated() {
                        product.run(
                            input, share, isa, scratch: scratch + thread * scratchBytes, into: results,
                            stride: Int(product.matrix.rows))
                        // As in the runtime, which loads weights while it waits only where tokens come one by one.
                        if tokens == 1 {
                            share.barrier(before: steps[(index + 1) % steps.count].product)
                        } else {
                            share.barrier()
                        }
                    }
                }
            }
        }
        withExtendedLifetime((matrices, region)) {}
        return Stopwatch.median(Array(all.dropFirst()))
    }
}
