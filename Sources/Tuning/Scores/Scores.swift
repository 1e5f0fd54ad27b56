/// Sensitivities of all choices, and the importances that plans are packed with.
package struct Scores: Sendable {
    /// Nats per token.
    var values: [ScoreName: Double]
    /// By canonical tensor name.
    var importances: [String: TensorImportance]

    /// The group under which KV cache formats are scored.
    static let cacheGroup = "kv"

    /// Nats per token that `choice` adds in `group`.
    package func sensitivity(_ group: String, _ choice: String) throws(TuningError) -> Double {
        guard let value = values[ScoreName(group: group, choice: choice)], value.isFinite else {
            throw TuningError(
                .badInput, place: "\(group), \(choice)", "has no score; remove the score store and tune again")
        }
        return value
    }
}
