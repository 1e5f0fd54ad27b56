internal import Compute
package import Quantization

/// A choice for every group, and the format of the KV cache: what the solver returns and a bundle is made from.
package struct Plan: Sendable, Equatable {
    package var kv: PlannedCache
    package var groups: [PlannedGroup]

    package init(kv: PlannedCache, groups: [PlannedGroup]) {
        self.kv = kv
        self.groups = groups
    }

    /// SHA-256 over what decides the plan's bytes: every group's choice, and the cache's format. Hexadecimal.
    package var digest: String {
        let hash = SHA256()
        hash.update("kv \(kv.format)\u{0}".utf8)
        for group in groups {
            hash.update(
                "\(group.name) \(group.tensors.joined(separator: ",")) \(group.choice.name) \(group.choice.refinement)\u{0}"
                    .utf8)
        }
        return hash.hexadecimal()
    }

    /// The KL divergence that the scores promise: the sum over groups and the cache, nats per token.
    package var predictedKL: Double { groups.reduce(kv.sensitivity) { $0 + $1.sensitivity } }

    /// Multiplies all scores by the factor that makes their sum `predicted`.
    mutating func correct(toPredict predicted: Double) {
        guard predictedKL > 0 else { return }
        let factor = predicted / predictedKL
        kv.sensitivity *= factor
        for index in groups.indices { groups[index].sensitivity *= factor }
    }

    /// The choice of each matrix, by canonical name.
    package var choices: [String: Choice] {
        var result: [String: Choice] = [:]
        for group in groups { for name in group.tensors { result[name] = group.choice } }
        return result
    }
}

/// The KV cache's part of a plan.
package struct PlannedCache: Sendable, Equatable, Codable {
    /// `f16`, `int8` or `int4`.
    package var format: String
    /// Nats per token.
    package var sensitivity: Double
    package var residentBytes: Int

    package init(format: String, sensitivity: Double, residentBytes: Int) {
        self.format = format
        self.sensitivity = sensitivity
        self.residentBytes = residentBytes
    }

    enum CodingKeys: String, CodingKey {
        case format, sensitivity
        case residentBytes = "resident_bytes"
    }
}

/// One group of tensors with the choice that it takes. Costs are those of the whole group.
package struct PlannedGroup: Sendable, Equatable {
    /// For instance `blk.3.attn_qkv`, `blk.3.ffn_down`, `token_embd`.
    package var name: String
    /// Canonical tensor names.
    package var tensors: [String]
    package var choice: Choice
    /// Nats per token, corrected.
    package var sensitivity: Double
    package var residentBytes: Int
    package var storedBytes: Int
    package var prefillSeconds: Double
    package var decodeSeconds: Double
    package var joules: Double
    /// In words, why the group got this choice.
    package var why: String

    package init(
        name: String, tensors: [String], choice: Choice, sensitivity: Double, residentBytes: Int, storedBytes: Int,
        prefillSeconds: Double, decodeSeconds: Double, joules: Double, why: String
    ) {
        self.name = name
        self.tensors = tensors
        self.choice = choice
        self.sensitivity = sensitivity
        self.residentBytes = residentBytes
        self.storedBytes = storedBytes
        self.prefillSeconds = prefillSeconds
        self.decodeSeconds = decodeSeconds
        self.joules = joules
        self.why = why
    }
}

/// Format, activation and refinement for one group of tensors.
package struct Choice: Hashable, Sendable {
    package var format: Format
    package var activation: Activation
    /// Names of the refinements applied, joined by `+`; empty for none.
    package var refinement: String

    package init(format: Format, activation: Activation, refinement: String) {
        self.format = format
        self.activation = activation
        self.refinement = refinement
    }
}
