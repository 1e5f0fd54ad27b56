internal import ModelFiles
internal import Reference

/// A group of a layer as the backward sweep meets it: which of the stacked outputs are the group's.
struct ScoringUnit {
    let group: ChoiceGroup
    /// First column of each of the group's tensors among the outputs that the sweep shows together.
    let columns: [Int]
    /// Choices that have no score yet.
    let missing: [Choice]

    /// The tensors that a sweep shows together, in the order in which their outputs are stacked.
    static func tensors(layer: Int, _ group: LayerGroup) -> [String] {
        group.parts.map { TensorName.layer(layer, $0) }
    }

    /// The group's unit within what the sweep shows as `group` of `layer`; nil where it has no part in it.
    init?(_ group: ChoiceGroup, layer: Int, shown: LayerGroup, missing: [Choice], configuration: ModelConfiguration) {
        var offsets: [String: Int] = [:]
        var next = 0
        for name in Self.tensors(layer: layer, shown) {
            offsets[name] = next
            next += TensorName.shape(of: name, in: configuration)?.rows ?? 0
        }
        let columns = group.tensors.compactMap { offsets[$0.name] }
        guard columns.count == group.tensors.count else { return nil }
        self.group = group
        self.columns = columns
        self.missing = missing
    }
}
