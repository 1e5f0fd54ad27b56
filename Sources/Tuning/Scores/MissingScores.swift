/// Which scores are missing: those that a sweep must measure, and those of coded choices, which follow from others.
struct MissingScores {
    typealias Part = [(group: ChoiceGroup, choices: [Choice])]

    /// Groups with no choices are those of which importances may be missing.
    private(set) var swept: Part = []
    private(set) var coded: Part = []

    /// What `known` has not, of the choices of `groups`. `examples` is what `CodedScorer` makes of the groups of all shards.
    init(_ groups: [ChoiceGroup], examples: [String: ChoiceGroup], beside known: [ScoreName: Double]) {
        for group in groups {
            func isMissing(_ choice: Choice) -> Bool {
                known[ScoreName(group: group.name, choice: choice.name)] == nil
            }
            let missing = group.choices.filter(isMissing)
            Self.add(missing.map { CodedScorer.relative(of: $0) ?? $0 }.filter(isMissing), of: group, to: &swept)
            let coded = missing.filter { CodedScorer.relative(of: $0) != nil }
            guard !coded.isEmpty else { continue }
            Self.add(coded, of: group, to: &self.coded)
            if let example = examples[CodedScorer.kind(of: group)] { Self.add([], of: example, to: &swept) }
        }
    }

    /// Groups that are the same stay one, and no choice comes twice.
    private static func add(_ choices: [Choice], of group: ChoiceGroup, to part: inout Part) {
        let index = part.firstIndex { $0.group.name == group.name && $0.group.tensors == group.tensors } ?? part.count
        if index == part.count { part.append((group, [])) }
        for choice in choices where !part[index].choices.contains(choice) { part[index].choices.append(choice) }
    }

    /// Whether no sweep is needed, for importances either.
    func isSwept(knowing importances: [String: TensorImportance]) -> Bool {
        swept.allSatisfy { entry in
            entry.choices.isEmpty && entry.group.tensors.allSatisfy { importances[$0.name] != nil }
        }
    }
}
