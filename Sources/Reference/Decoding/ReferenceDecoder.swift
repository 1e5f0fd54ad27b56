internal import CKernels
package import Compute
internal import ModelFiles

/// Several sequences that grow in lockstep, one token each at a time, with a float32 KV cache: weights are read once
/// for all of them. Logits are the same bits as those of `ReferenceModel.logits`.
package struct ReferenceDecoder {
    private let model: ReferenceModel
    /// How many sequences there are.
    package let sequences: Int
    /// The most tokens that a sequence may have.
    package let capacity: Int
    /// The tokens that each sequence has so far.
    package private(set) var count = 0
    private let rotary: RotaryTable
    private var activations: LayerActivations
    /// For each layer, sequences x capacity rows of keys and of values.
    private var keys: [Matrix]
    private var values: [Matrix]

    /// `sequences` empty sequences with room for `capacity` tokens each.
    package init(model: ReferenceModel, sequences: Int, capacity: Int) throws(ReferenceError) {
        let c = model.configuration
        let (cells, overflows) = sequences.multipliedReportingOverflow(by: capacity)
        guard sequences > 0, capacity > 0, !overflows, cells <= Int(Int32.max) else {
            throw ReferenceError("decoder", "\(sequences) sequences of \(capacity) tokens; give 1 or more of each")
        }
        self.model = model
        self.sequences = sequences
        self.capacity = capacity
        rotary = RotaryTable(positions: capacity, configuration: c)
        activations = LayerActivations(rows: sequences, configuration: c)
        let cache = Matrix(rows: cells, columns: c.keyValueHeads * c.headWidth)
        keys = [Matrix](repeating: cache, count: c.layers)
        values = keys
    }

    /// Appends one token to each sequence and returns the logits that follow it: sequences x vocabulary.
    package mutating func step(tokens: [Int32]) throws(ReferenceError) -> Matrix {
        guard tokens.count == sequences else {
            throw ReferenceError("decoder", "\(tokens.count) tokens for \(sequences) sequences; give one for each")
        }
        guard count < capacity else {
            throw ReferenceError("decoder", "all \(capacity) positions are taken; make it with a larger capacity")
        }
        try TokenBatch.check(tokens, vocabulary: model.configuration.vocabulary, place: "decoder")
        let positions = [Int](repeating: count, count: sequences)
        var residual = model.embed(tokens)
        for (index, layer) in model.layers.enumerated() {
            activations.projectAttention(
                layer, residual: residual, positions: positions, rotary: rotary, pool: model.pool)
            appendToCache(index)
            attend(index)
            activations.projectFeedForward(layer, residual: residual, pool: model.pool)
            activations.addFeedForward(layer, to: &residual, pool: model.pool)
        }
        count += 1
        return model.head(model.finalNorm(residual))
    }

    private mutating func appendToCache(_ layer: Int) {
        let attention = Attention(model.configuration, pool: model.pool)
        for sequence in 0..<sequences {
            let row = activations.queryKeyValue[row: sequence]
            let start = row.startIndex
            let width = keys[layer].columns
            let target = (sequence * capacity + count) * width
            keys[layer].values.replaceSubrange(
                target..<target + width,
                with: row[start + attention.keyColumn..<start + attention.keyColumn + width])
            values[layer].values.replaceSubrange(
                target..<target + width,
                with: row[start + attention.valueColumn..<start + attention.valueColumn + width])
        }
    }

    /// Attention over the cache. The heads of a group are rows of one problem: they read the same keys and values.
    private mutating func attend(_ layer: Int) {
        let attention = Attention(model.configuration, pool: model.pool)
        let (sequences, capacity, visible) = (sequences, capacity, count + 1)
        let headWidth = attention.headWidth
        activations.queryKeyValue.withPointer { source in
            keys[layer].withPointer { keys in
                values[layer].withPointer { values in
                    activations.attended.withMutablePointer { target in
                        model.pool.forEach(sequences * attention.keyValueHeads) { (thread: Int, index: Int) in
                            let sequence = index / attention.keyValueHeads
                            let head = index % attention.keyValueHeads
                            let width = attention.keyValueHeads * headWidth
                            let cache = sequence * capacity * width + head * headWidth
                            let firstQuery = head * attention.group * headWidth
                            var problem = fettle_attention(
                                query: source + sequence * attention.columns + firstQuery, key: keys + cache,
                                value: values + cache, rows: attention.group, head_width: headWidth,
                                query_row: headWidth, key_row: width, output_row: headWidth, visible: visible,
                                visible_step: 0, window: attention.window, scale: attention.scale)
                            fettle_attend(
                                model.pool.instructionSet.cValue, &problem,
                                target + sequence * attention.heads * headWidth + firstQuery,
                                model.pool.scratch(thread: thread, floats: fettle_attention_workspace(visible)))
                        }
                    }
                }
            }
        }
    }
}
