internal import CKernels
internal import ModelFiles

/// Everything that a model needs beside its weights and its cache: one region of memory, sized before it exists.
final class ActivationArena {
    let plan: Plan
    private let region: MappedRegion

    /// An arena of `plan`'s size. Throws where the system has no memory for it.
    init(plan: Plan) throws(RuntimeError) {
        self.plan = plan
        region = try MappedRegion(byteCount: plan.region.byteCount, for: "activation arena")
    }

    /// The part that begins at `offset`, as values of a type.
    func pointer<Value>(_ offset: Int, to type: Value.Type) -> UnsafeMutablePointer<Value> {
        (region.base + offset).assumingMemoryBound(to: Value.self)
    }

    /// Buffers of quantized inputs.
    var inputs: InputBuffers { InputBuffers(plan: plan.inputs, base: region.base) }

    /// Scratch space of one thread for products.
    func productScratch(thread: Int) -> UnsafeMutableRawPointer {
        region.base + plan.productScratch + thread * plan.productScratchBytes
    }

    /// Scratch space of one thread for attention.
    func attentionScratch(thread: Int) -> UnsafeMutablePointer<Float> {
        pointer(plan.attentionScratch + thread * plan.attentionScratchBytes, to: Float.self)
    }

    /// What lies where. Sizes hold for every format and activation, so that they are known before a plan is.
    struct Plan {
        private(set) var region = RegionPlan()
        /// Tokens that run together in prefill.
        let chunk: Int
        /// Numbers of a row of the residual stream, and of the widest row.
        let width, widest: Int
        /// Residual stream [chunk x width]. For a single token each thread has a row of its own here, and in `rows` and
        /// `inputs`, beside one that they share.
        let residual: Int
        /// Inputs of products before quantization [chunk x widest].
        let rows: Int
        /// Results that feed the residual stream [chunk x width].
        let update: Int
        /// Queries, keys and values, or gate and up [chunk x ...].
        let products: Int
        /// Cosines, then sines [chunk x headWidth / 2].
        let angles: Int
        let frequencies: Int
        /// Norms in order of execution [2 x layers + 1, width].
        let norms: Int
        /// The matrices of every layer, and the head.
        let layers: Int
        let inputs: InputBuffers.Plan
        let productScratch: Int
        let productScratchBytes: Int
        let attentionScratch: Int
        let attentionScratchBytes: Int

        init(_ c: ModelConfiguration, context: Int, chunk: Int, threads: Int) {
            let queries = c.heads * c.headWidth
            let keys = c.keyValueHeads * c.headWidth
            width = c.width
            widest = max(c.width, queries, c.feedForward)
            self.chunk = max(1, min(chunk, context))
            let places = max(self.chunk, threads + 1)
            residual = region.reserve(places * c.width, of: Float.self)
            rows = region.reserve(places * widest, of: Float.self)
            update = region.reserve(self.chunk * c.width, of: Float.self)
            products = region.reserve(self.chunk * max(queries + 2 * keys, 2 * c.feedForward), of: Float.self)
            angles = region.reserve(self.chunk * c.headWidth, of: Float.self)
            frequencies = region.reserve(c.headWidth / 2, of: Double.self)
            norms = region.reserve((2 * c.layers + 1) * c.width, of: Float.self)
            layers = region.reserve(c.layers + 1, of: LayerSteps.self)
            // int16 takes two places for a token; a single token, of which each thread has one and all another, takes a panel.
            inputs = InputBuffers.Plan(
                places: max(InputBuffers.wholePanels(2 * self.chunk), (threads + 1) * Int(FETTLE_WIDEST_PANEL)),
                columns: widest, in: &region)
            productScratchBytes = fettle_packed_product_scratch(Int32(widest), Int32(self.chunk))
            productScratch = region.reserve(productScratchBytes * threads)
            let floats = fettle_attend_cache_scratch(Int32(c.headWidth), Int32((context + 15) / 16 * 16))
            attentionScratchBytes = (floats * MemoryLayout<Float>.stride + 63) / 64 * 64
            attentionScratch = region.reserve(attentionScratchBytes * threads)
        }
    }
}
