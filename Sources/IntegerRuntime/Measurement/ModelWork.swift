internal import ModelFiles

/// What a model must read and compute at least.
package struct ModelWork: Sendable {
    private let layerWeights: Int
    private let headWeights: Int
    private let weightBytes: Int
    private let cacheBytesPerPosition: Double
    /// Operations of a query with one position, over all layers and heads.
    private let attention: Int

    /// The work of `model`.
    package init(model: IntegerModel) {
        let c = model.configuration
        let read = model.weights.matrices.filter { c.tiedEmbedding || $0.key != TensorName.embedding }
        weightBytes = read.values.reduce(0) { $0 + $1.packedBytes }
        headWeights = read[TensorName.head(of: c)].map { $0.rows * $0.columns } ?? 0
        layerWeights = read.values.reduce(0) { $0 + $1.rows * $1.columns } - headWeights
        let context = model.context
        let memory = RuntimeMemory(configuration: c, kv: model.kv, context: context)
        cacheBytesPerPosition = Double(memory.cacheBytes) / Double(context)
        attention = 4 * c.layers * c.heads * c.headWidth
    }

    /// Bytes of packed weights and of the KV cache that a token at `position` reads.
    package func bytes(perTokenAt position: Int) -> Double {
        Double(weightBytes) + cacheBytesPerPosition * Double(position)
    }

    /// Operations for a prompt of `tokens`: products, the head for the last token only, and attention. A multiply-add is
    /// two.
    package func operations(prompt tokens: Int) -> Double {
        let pairs = Double(tokens) * Double(tokens + 1) / 2
        return 2 * Double(layerWeights) * Double(tokens) + 2 * Double(headWeights) + Double(attention) * pairs
    }
}
