package import Quantization

/// llama.cpp's presets: one type for most tensors and more bits for the value projections and down projections of the first
/// and last eighth of the layers and every third between (llama-quant.cpp, `use_more_bits`).
package struct RuleRecipe: Sendable, Equatable {
    package let name: String
    /// The type of most tensors.
    let base: BlockFormat
    /// Of value and down projections in favoured layers.
    let more: BlockFormat

    /// Presets from the largest to the smallest.
    package static let all = [
        RuleRecipe(name: "Q6_K", base: .q6_k, more: .q6_k), RuleRecipe(name: "Q5_K_M", base: .q5_k, more: .q6_k),
        RuleRecipe(name: "Q4_K_M", base: .q4_k, more: .q6_k), RuleRecipe(name: "Q3_K_M", base: .q3_k, more: .q4_k),
    ]

    /// The format of a group that has one tensor, in a model of `layers` layers.
    package func format(of group: ChoiceGroup, layers: Int) -> Format? {
        guard let tensor = group.tensors.first else { return nil }
        if group.role.isHead { return .block(Self.fitting(.q6_k, columns: tensor.columns)) }
        return .block(Self.fitting(wanted(tensor.name, layers), columns: tensor.columns))
    }

    private func wanted(_ tensor: String, _ layers: Int) -> BlockFormat {
        let parts = tensor.split(separator: ".")
        guard parts.count > 2, let layer = Int(parts[1]) else { return base }
        let isFavoured = Self.usesMoreBits(layer, layers)
        let isSmallest = base == .q3_k
        switch parts[2] {
        case "attn_v" where isSmallest: return layer < 2 ? .q5_k : .q4_k
        case "attn_output" where isSmallest: return .q4_k
        case "ffn_down" where isSmallest: return layer < layers / 16 ? .q5_k : .q4_k
        case "attn_v", "ffn_down": return isFavoured ? more : base
        default: return base
        }
    }

    /// Whether layer `index` of `count` is one of those that get more bits.
    static func usesMoreBits(_ index: Int, _ count: Int) -> Bool {
        index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2
    }

    /// What llama-quantize falls back to where rows are not whole blocks of 256.
    private static func fitting(_ format: BlockFormat, columns: Int) -> BlockFormat {
        guard !columns.isMultiple(of: 256) else { return format }
        return switch format {
        case .q2_k, .q3_k: .q4_0
        case .q4_k: .q5_0
        case .q5_k: .q5_1
        case .q6_k: .q8_0
        default: format
        }
    }
}
