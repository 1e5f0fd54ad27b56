package import Compute
package import ModelFiles

/// A decoder of the Llama family in float32: the model that quantized ones are measured against.
package struct ReferenceModel: Sendable {
    /// One layer's weights. Matrices are outputs x inputs; those that read the same input are stacked.
    struct Layer: Sendable {
        var attentionNorm: [Float]
        /// Query, key and value.
        var attentionInput: Matrix
        var attentionOutput: Matrix
        var feedForwardNorm: [Float]
        /// Gate and up.
        var feedForwardInput: Matrix
        var down: Matrix
    }

    package let configuration: ModelConfiguration
    /// The threads and the instruction set that everything runs on. One caller at a time.
    package let pool: ThreadPool
    var layers: [Layer]
    var embedding: Matrix
    var outputNorm: [Float]
    /// Nil where the head is the embedding.
    var separateHead: Matrix?

    /// The output head, vocabulary x width.
    var headMatrix: Matrix { separateHead ?? embedding }

    /// Loads every tensor of `configuration` by its canonical name from `weights`; throws what that throws, and
    /// `ReferenceError` for a wrong shape.
    package init(
        configuration: ModelConfiguration, pool: ThreadPool, weights: (String) throws -> Matrix
    ) throws {
        try ReferenceModel.check(configuration)
        func load(_ name: String) throws -> Matrix {
            let matrix = try weights(name)
            try ReferenceModel.check(matrix, named: name, in: configuration)
            return matrix
        }
        func stack(_ layer: Int, _ parts: [TensorName.Part]) throws -> Matrix {
            var rows = 0
            var values: [Float] = []
            for part in parts {
                let matrix = try load(TensorName.layer(layer, part))
                rows += matrix.rows
                values += matrix.values
            }
            return Matrix(rows: rows, columns: configuration.width, values: values)
        }
        self.configuration = configuration
        self.pool = pool
        embedding = try load(TensorName.embedding)
        layers = try (0..<configuration.layers).map { index in
            Layer(
                attentionNorm: try load(TensorName.layer(index, .attentionNorm)).values,
                attentionInput: try stack(index, [.query, .key, .value]),
                attentionOutput: try load(TensorName.layer(index, .attentionOutput)),
                feedForwardNorm: try load(TensorName.layer(index, .feedForwardNorm)).values,
                feedForwardInput: try stack(index, [.gate, .up]),
                down: try load(TensorName.layer(index, .down)))
        }
        outputNorm = try load(TensorName.outputNorm).values
        separateHead = configuration.tiedEmbedding ? nil : try load(TensorName.head)
    }

    /// The same model with other weights under the given canonical names; the rest is shared, not copied. A new
    /// embedding is the head too where they are tied, unless a head is given as well.
    package func replacing(_ matrices: [String: Matrix]) throws(ReferenceError) -> ReferenceModel {
        var result = self
        for (name, matrix) in matrices {
            try ReferenceModel.check(matrix, named: name, in: configuration)
            switch name {
            case TensorName.embedding: result.embedding = matrix
            case TensorName.head: result.separateHead = matrix
            case TensorName.outputNorm: result.outputNorm = matrix.values
            default:
                for index in layers.indices {
                    for part in TensorName.Part.allCases where TensorName.layer(index, part) == name {
                        result.layers[index].replace(part, with: matrix, in: configuration)
                    }
                }
            }
        }
        return result
    }

    private static func check(_ c: ModelConfiguration) throws(ReferenceError) {
        let sizes = [
            c.vocabulary, c.width, c.feedForward, c.layers, c.heads, c.keyValueHeads, c.headWidth,
        ]
        guard sizes.allSatisfy({ $0 > 0 }), c.heads % c.keyValueHeads == 0, c.headWidth % 2 == 0 else {
            throw ReferenceError(
                "configuration",
                "\(c.heads) heads of width \(c.headWidth) over \(c.keyValueHeads) key-value heads cannot be computed; "
                    + "heads must be a multiple of key-value heads and their width even")
        }
        if let divisors = c.rotaryDivisors, divisors.count != c.headWidth / 2 {
            throw ReferenceError(
                "configuration",
                "\(divisors.count) rotary divisors for \(c.headWidth / 2) pairs; there must be one each")
        }
    }

    private static func check(
        _ matrix: Matrix, named name: String, in configuration: ModelConfiguration
    ) throws(ReferenceError) {
        guard let shape = TensorName.shape(of: name, in: configuration) else {
            throw ReferenceError(name, "no tensor of this model has this name; use the canonical (GGUF) names")
        }
        guard shape == (matrix.rows, matrix.columns) else {
            throw ReferenceError(
                name,
                "\(matrix.rows) x \(matrix.columns) instead of \(shape.rows) x \(shape.columns); "
                    + "the file's tensors do not fit its configuration")
        }
    }
}

extension ReferenceModel.Layer {
    mutating func replace(_ part: TensorName.Part, with matrix: Matrix, in configuration: ModelConfiguration) {
        let queries = configuration.heads * configuration.headWidth
        let keys = configuration.keyValueHeads * configuration.headWidth
        switch part {
        case .attentionNorm: attentionNorm = matrix.values
        case .query: attentionInput.replaceRows(from: 0, with: matrix)
        case .key: attentionInput.replaceRows(from: queries, with: matrix)
        case .value: attentionInput.replaceRows(from: queries + keys, with: matrix)
        case .attentionOutput: attentionOutput = matrix
        case .feedForwardNorm: feedForwardNorm = matrix.values
        case .gate: feedForwardInput.replaceRows(from: 0, with: matrix)
        case .up: feedForwardInput.replaceRows(from: configuration.feedForward, with: matrix)
        case .down: down = matrix
        }
    }
}

extension Matrix {
    /// Writes the rows of `other`, which has as many columns, over the rows from `first` on.
    mutating func replaceRows(from first: Int, with other: Matrix) {
        let start = first * columns
        values.replaceSubrange(start..<start + other.values.count, with: other.values)
    }
}
