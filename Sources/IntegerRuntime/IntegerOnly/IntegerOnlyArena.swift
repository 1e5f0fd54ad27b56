internal import CKernels
internal import ModelFiles

/// Everything that integer-only execution needs beside weights and cache: one region of memory, sized before it exists.
final class IntegerOnlyArena {
    let plan: Plan
    private let region: MappedRegion

    /// An arena of `plan`'s size. Throws where the system has no memory for it.
    init(plan: Plan) throws(RuntimeError) {
        self.plan = plan
        region = try MappedRegion(byteCount: plan.region.byteCount, for: "activation arena")
    }

    /// The part that begins at `offset`, as values of a type.
    func pointer<Value>(_ offset: Int, to type: Value.Type = Value.self) -> UnsafeMutablePointer<Value> {
        (region.base + offset).assumingMemoryBound(to: Value.self)
    }

    /// What lies where.
    struct Plan {
        private(set) var region = RegionPlan()
        /// Tokens that run together in prefill.
        let chunk: Int
        /// The widest input of a product.
        let widest: Int
        let residual, rows, update, products, exponents, headExponents: Int
        let inputs, inputShifts, inputSums, inputScales: Int
        let scratch, scratchBytes: Int
        /// Cosines and sines of every position, int16 [context][2][headWidth / 2].
        let rotary: Int
        /// int16, in order of execution [2 x layers + 1, width].
        let norms: Int
        let layers: Int
        /// Exponents of the rows of every matrix, one after the other.
        let rowExponents: Int

        init(_ c: ModelConfiguration, context: Int, chunk: Int, threads: Int) {
            let (queries, keys) = (c.heads * c.headWidth, c.keyValueHeads * c.headWidth)
            self.chunk = max(1, min(chunk, context))
            widest = max(c.width, queries, c.feedForward)
            let places = InputBuffers.wholePanels(self.chunk)
            let positions = (context + 15) / 16 * 16
            residual = region.reserve(self.chunk * c.width, of: Int32.self)
            rows = region.reserve(self.chunk * widest, of: Int32.self)
            update = region.reserve(self.chunk * c.width, of: Int32.self)
            products = region.reserve(self.chunk * max(queries + 2 * keys, 2 * c.feedForward), of: Int32.self)
            exponents = region.reserve(2 * self.chunk, of: Int32.self)
            headExponents = region.reserve(self.chunk * c.heads, of: Int32.self)
            inputs = region.reserve(places * widest)
            inputShifts = region.reserve(places * (widest / 32), of: Int32.self)
            inputSums = region.reserve(places * (widest / 32), of: Int32.self)
            inputScales = region.reserve(2 * self.chunk, of: Int32.self)
            scratchBytes = fettle_integer_scratch(
                Int32(widest), Int32(self.chunk), Int32(c.headWidth), Int32(positions))
            scratch = region.reserve(scratchBytes * threads)
            rotary = region.reserve(context * c.headWidth, of: Int16.self)
            norms = region.reserve((2 * c.layers + 1) * c.width, of: Int16.self)
            layers = region.reserve(c.layers, of: fettle_integer_layer.self)
            let perLayer = [queries, keys, keys, c.width, c.feedForward, c.feedForward, c.width]
                .reduce(0) { $0 + IntegerOnlyMatrix.exponentBytes(rows: $1) }
            let tables = c.tiedEmbedding ? 1 : 2
            rowExponents = region.reserve(
                c.layers * perLayer + tables * IntegerOnlyMatrix.exponentBytes(rows: c.vocabulary))
        }
    }
}
