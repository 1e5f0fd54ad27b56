internal import CKernels
internal import ModelFiles

extension ChunkExecution {
    /// The numbers of a configuration, without its reference-counted parts.
    struct Shape {
        let width, feedForward, layers, heads, keyValueHeads, headWidth: Int
        let epsilon: Float
        let adjacent: Bool

        init(_ c: ModelConfiguration) {
            width = c.width
            feedForward = c.feedForward
            layers = c.layers
            heads = c.heads
            keyValueHeads = c.keyValueHeads
            headWidth = c.headWidth
            epsilon = c.normEpsilon
            adjacent = c.rotaryPairing == .adjacent
        }

        /// Numbers of a token's queries.
        var queries: Int { heads * headWidth }
        /// Numbers of a token's keys, or values.
        var keys: Int { keyValueHeads * headWidth }
    }

    /// Where the arena's parts lie.
    struct Pointers {
        let residual, rows, update, products, angles, norms: UnsafeMutablePointer<Float>
        let frequencies: UnsafeMutablePointer<Double>
        let layers: UnsafeMutablePointer<LayerSteps>
        let inputs: InputBuffers
        /// Numbers of a row of the residual stream, and of the widest row.
        let width, widest: Int
        private let productBase: UnsafeMutableRawPointer
        private let productBytes: Int
        private let attentionBase: UnsafeMutablePointer<Float>
        private let attentionFloats: Int

        init(_ arena: ActivationArena) {
            let plan = arena.plan
            residual = arena.pointer(plan.residual, to: Float.self)
            rows = arena.pointer(plan.rows, to: Float.self)
            update = arena.pointer(plan.update, to: Float.self)
            products = arena.pointer(plan.products, to: Float.self)
            angles = arena.pointer(plan.angles, to: Float.self)
            norms = arena.pointer(plan.norms, to: Float.self)
            frequencies = arena.pointer(plan.frequencies, to: Double.self)
            layers = arena.pointer(plan.layers, to: LayerSteps.self)
            inputs = arena.inputs
            width = plan.width
            widest = plan.widest
            productBase = arena.productScratch(thread: 0)
            productBytes = plan.productScratchBytes
            attentionBase = arena.attentionScratch(thread: 0)
            attentionFloats = plan.attentionScratchBytes / MemoryLayout<Float>.stride
        }

        func productScratch(_ thread: Int) -> UnsafeMutableRawPointer { productBase + thread * productBytes }
        func attentionScratch(_ thread: Int) -> UnsafeMutablePointer<Float> {
            attentionBase + thread * attentionFloats
        }
    }
}
