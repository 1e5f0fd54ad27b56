package import ModelFiles
internal import Quantization

/// Tensors that take one choice together, with the choices that are legal for them.
package struct ChoiceGroup: Sendable, Equatable {
    /// One matrix of the group.
    package struct Tensor: Sendable, Equatable {
        /// Canonical name.
        package var name: String
        package var rows: Int
        package var columns: Int
    }

    /// What a group does in the model: it decides when its weights are read and how it is scored.
    package enum Role: Sendable, Equatable {
        /// Matrices of a layer that read the same input.
        case layer
        /// The embedding that is the output head too.
        case tiedEmbedding
        /// An embedding of its own: one row is read for each token.
        case embedding
        /// An output head of its own: it runs for the last token of a prompt only.
        case head

        /// Whether the group is what `--head` names.
        package var isHead: Bool { self == .tiedEmbedding || self == .head }
    }

    package var name: String
    package var role: Role
    package var tensors: [Tensor]
    package var choices: [Choice]

    /// Numbers in all matrices.
    package var weights: Int { tensors.reduce(0) { $0 + $1.rows * $1.columns } }

    /// The groups of a model for a runtime, in order of execution, without choices yet. Fettle's kernels fuse q/k/v and
    /// gate/up; llama.cpp takes every tensor by itself.
    package static func all(of configuration: ModelConfiguration, isFused: Bool) -> [ChoiceGroup] {
        func group(_ name: String, _ role: Role, _ names: [String]) -> ChoiceGroup {
            let tensors = names.compactMap { tensor in
                TensorName.shape(of: tensor, in: configuration).map {
                    Tensor(name: tensor, rows: $0.rows, columns: $0.columns)
                }
            }
            return ChoiceGroup(name: name, role: role, tensors: tensors, choices: [])
        }
        let isTied = configuration.tiedEmbedding
        var result = [group("token_embd", isTied ? .tiedEmbedding : .embedding, [TensorName.embedding])]
        let fused: [(String, [TensorName.Part])] = [
            ("attn_qkv", [.query, .key, .value]), ("attn_output", [.attentionOutput]),
            ("ffn_gate_up", [.gate, .up]), ("ffn_down", [.down]),
        ]
        let single = TensorName.Part.allCases.filter { !$0.isNorm }.map { ($0.rawValue, [$0]) }
        for layer in 0..<configuration.layers {
            for (name, parts) in isFused ? fused : single {
                result.append(group("blk.\(layer).\(name)", .layer, parts.map { TensorName.layer(layer, $0) }))
            }
        }
        if !isTied { result.append(group("output", .head, [TensorName.head])) }
        return result
    }
}
