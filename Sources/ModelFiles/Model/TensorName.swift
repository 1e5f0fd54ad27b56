/// The canonical names of a model's tensors: GGUF's. A Hugging Face directory's names are translated on reading.
package enum TensorName {
    package static let embedding = "token_embd.weight"
    package static let head = "output.weight"
    package static let outputNorm = "output_norm.weight"

    /// The name of the head's weights: the embedding's, where both are one.
    package static func head(of configuration: ModelConfiguration) -> String {
        configuration.tiedEmbedding ? embedding : head
    }

    /// The matrices and norms of one layer.
    package enum Part: String, CaseIterable, Sendable {
        case attentionNorm = "attn_norm"
        case query = "attn_q"
        case key = "attn_k"
        case value = "attn_v"
        case attentionOutput = "attn_output"
        case feedForwardNorm = "ffn_norm"
        case gate = "ffn_gate"
        case up = "ffn_up"
        case down = "ffn_down"

        /// Whether it is a vector, kept in float32.
        package var isNorm: Bool { self == .attentionNorm || self == .feedForwardNorm }
    }

    /// The name of `part` in layer `layer`, for instance `blk.3.attn_q.weight`.
    package static func layer(_ layer: Int, _ part: Part) -> String {
        "blk.\(layer).\(part.rawValue).weight"
    }

    /// Every tensor that a model of `configuration` must have, in order of execution.
    package static func all(of configuration: ModelConfiguration) -> [String] {
        var names = [embedding]
        for index in 0..<configuration.layers { names += Part.allCases.map { layer(index, $0) } }
        names.append(outputNorm)
        if !configuration.tiedEmbedding { names.append(head) }
        return names
    }

    /// The rows and columns of the named tensor; a norm has one row. Nil for a name that is not canonical.
    package static func shape(of name: String, in configuration: ModelConfiguration) -> (rows: Int, columns: Int)? {
        let c = configuration
        switch name {
        case embedding, head: return (c.vocabulary, c.width)
        case outputNorm: return (1, c.width)
        default: break
        }
        let pieces = name.split(separator: ".")
        guard pieces.count == 4, pieces[0] == "blk", pieces[3] == "weight", let index = Int(pieces[1]),
            (0..<c.layers).contains(index), let part = Part(rawValue: String(pieces[2]))
        else { return nil }
        switch part {
        case .attentionNorm, .feedForwardNorm: return (1, c.width)
        case .query: return (c.heads * c.headWidth, c.width)
        case .key, .value: return (c.keyValueHeads * c.headWidth, c.width)
        case .attentionOutput: return (c.width, c.heads * c.headWidth)
        case .gate, .up: return (c.feedForward, c.width)
        case .down: return (c.width, c.feedForward)
        }
    }
}
