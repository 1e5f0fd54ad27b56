/// Groups that errors work through alike: what scores are corrected by.
enum GroupKind: String, CaseIterable {
    case embedding = "embedding and head"
    case attentionInput = "attention inputs"
    case attentionOutput = "attention outputs"
    case feedForwardInput = "feed-forward inputs"
    case down = "feed-forward outputs"

    /// The kind of a knapsack's group; the KV cache counts as an input of attention.
    init(name: String) {
        switch name.split(separator: ".").last {
        case "attn_qkv", "attn_q", "attn_k", "attn_v", "kv": self = .attentionInput
        case "attn_output": self = .attentionOutput
        case "ffn_gate_up", "ffn_gate", "ffn_up": self = .feedForwardInput
        case "ffn_down": self = .down
        default: self = .embedding
        }
    }
}

extension PlanProblem {
    /// The same knapsack with scores times the factor of each kind of group.
    func weighing(by factors: [Double]) -> PlanProblem {
        var result = self
        result.mapSensitivities { name, score in
            GroupKind.allCases.firstIndex(of: GroupKind(name: name.group)).map { factors[$0] * score } ?? score
        }
        return result
    }

    /// The sum of scores of the given choices by kind of group.
    func sensitivities(of chosen: [Int]) -> [Double] {
        var sums = [Double](repeating: 0, count: GroupKind.allCases.count)
        for (group, index) in zip(problem.groups, chosen) {
            if let kind = GroupKind.allCases.firstIndex(of: GroupKind(name: group.name)) {
                sums[kind] += group.choices[index].costs.sensitivity
            }
        }
        return sums
    }
}
