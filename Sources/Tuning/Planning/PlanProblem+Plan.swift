internal import DeviceProfiles
internal import Foundation
internal import Quantization

extension PlanProblem {
    /// The plan that picks the given choices, the KV cache's first.
    func plan(_ chosen: [Int]) -> Plan {
        let cache = problem.groups[0].choices[chosen[0]]
        let groups = zip(catalog.groups, zip(problem.groups, chosen).dropFirst()).map { group, picked in
            let option = picked.0.choices[picked.1]
            return PlannedGroup(
                name: group.name, tensors: group.tensors.map(\.name), choice: group.choices[picked.1],
                sensitivity: option.costs.sensitivity, residentBytes: Int(option.costs.resident),
                storedBytes: Int(option.costs.stored), prefillSeconds: option.costs.prefill,
                decodeSeconds: option.costs.decode, joules: option.costs.energy,
                why: Self.reason(picked.1, among: picked.0.choices))
        }
        return Plan(
            kv: PlannedCache(
                format: cache.name, sensitivity: cache.costs.sensitivity, residentBytes: Int(cache.costs.resident)),
            groups: groups)
    }

    /// The exact size of the weights file of the given choices.
    func storedBytes(_ chosen: [Int]) throws -> Int {
        try StoredBytes(model: model, catalog: catalog, runtime: profile.runtime)
            .exact(zip(catalog.groups, chosen.dropFirst()).map { (group: $0, choice: $0.choices[$1]) })
    }

    /// The choices where every group takes `choice` and the head `head`, with the given cache; nil where one cannot.
    func uniform(_ choice: Choice, head: Choice?, kv: Int) -> [Int]? {
        var chosen = [kv]
        for group in catalog.groups {
            let wanted = group.role.isHead ? head ?? choice : choice
            guard let index = group.choices.firstIndex(where: { $0.spec == wanted.spec }) else { return nil }
            chosen.append(index)
        }
        return chosen
    }

    /// The choices of a recipe that names a format for each group; nil where a group cannot take it.
    func recipe(kv: Int, _ format: (ChoiceGroup) -> Format?) -> [Int]? {
        var chosen = [kv]
        for group in catalog.groups {
            let wanted = format(group)
            guard let index = group.choices.firstIndex(where: { $0.format == wanted }) else { return nil }
            chosen.append(index)
        }
        return chosen
    }

    /// In words, what the neighbours of a choice would have saved or cost.
    private static func reason(_ picked: Int, among options: [Problem.Option]) -> String {
        let own = options[picked]
        func bytes(_ other: Problem.Option) -> String { "\(Int(abs(other.costs.stored - own.costs.stored))) B" }
        func nats(_ other: Problem.Option) -> String {
            "\(shortened(abs(other.costs.sensitivity - own.costs.sensitivity))) nats"
        }
        let smaller = options.filter { $0.costs.stored < own.costs.stored }.min {
            $0.costs.sensitivity < $1.costs.sensitivity
        }
        let better = options.filter { $0.costs.sensitivity < own.costs.sensitivity }.min {
            $0.costs.stored < $1.costs.stored
        }
        var parts: [String] = []
        if let smaller {
            parts.append(
                smaller.costs.sensitivity < own.costs.sensitivity
                    ? "\(smaller.name) would save \(bytes(smaller)) and \(nats(smaller)), but costs more elsewhere"
                    : "\(smaller.name) would save \(bytes(smaller)) and lose \(nats(smaller)) more")
        }
        if let better, better.costs.stored >= own.costs.stored {
            parts.append("\(better.name) would take \(bytes(better)) more and lose \(nats(better)) less")
        }
        return parts.isEmpty ? "the only choice" : parts.joined(separator: "; ")
    }

    /// A number with three significant digits.
    private static func shortened(_ number: Double) -> String {
        number == 0 ? "0" : String(format: "%.3g", number)
    }
}
