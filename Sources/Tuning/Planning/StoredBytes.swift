internal import DeviceProfiles
internal import ModelFiles
internal import Quantization

/// The size of the weights file: exact for a plan, and an upper bound of what the file has beside the plan's tensors.
struct StoredBytes {
    let model: Model
    let catalog: ChoiceCatalog
    let runtime: TargetRuntime

    /// The file's exact size with the given choice for each group.
    func exact(_ chosen: [(group: ChoiceGroup, choice: Choice)]) throws(ModelError) -> Int {
        var specs: [String: Spec] = [:]
        for (group, choice) in chosen { for tensor in group.tensors { specs[tensor.name] = choice.spec } }
        return try WeightsFileLayout(model: model, specs: specs, runtime: runtime).storedBytes
    }

    /// Bytes beside the tensors that groups are charged for, whatever is chosen: header, norms, padding.
    ///
    /// GGUF's header does not depend on the choices. That of safetensors holds SPECs, offsets and frozen scales as text: it is
    /// longest with the largest tensors, the longest SPECs and static inputs, and padded to 64 bytes.
    func fixed(_ cost: CostModel) throws(ModelError) -> Int {
        let largest = catalog.groups.map { group in
            (group: group, choice: Self.most(group) { Int(cost.costs(of: $0, for: group).stored) })
        }
        let charged = largest.reduce(0) { $0 + Int(cost.costs(of: $1.choice, for: $1.group).stored) }
        let rest = try exact(largest) - charged
        guard runtime == .fettle else { return rest }
        let longer = catalog.groups.reduce(0) { sum, group in
            let length = Self.most(group) { $0.spec.description.utf8.count }.spec.description.utf8.count
            let used = largest.first { $0.group.name == group.name }?.choice
            let specs = (length - (used?.spec.description.utf8.count ?? 0)) * group.tensors.count
            let needsScales = used?.activation != .static && group.choices.contains { $0.activation == .static }
            let scales = group.tensors.reduce(0) { $0 + WeightsFileLayout.frozenScaleBytes($1.name) }
            return sum + specs + (needsScales ? scales : 0)
        }
        return rest + longer + SafetensorsWriter.alignment
    }

    private static func most(_ group: ChoiceGroup, _ measure: (Choice) -> Int) -> Choice {
        // A catalog's groups have a choice each.
        group.choices.dropFirst().reduce(group.choices[0]) { measure($1) > measure($0) ? $1 : $0 }
    }
}
