package import Compute
internal import IntegerRuntime
package import ModelFiles
internal import Quantization
package import Reference

/// Sees to it that every choice has a score: takes what the store has, and measures the rest in one sweep.
package struct Scorer {
    private let model: Model
    private let calibration: TokenSequences
    private let seed: UInt64
    private let store: ScoreStore
    private let pool: ThreadPool
    private let reference: () throws -> ReferenceModel
    private let progress: (_ fraction: Double, _ text: String) throws -> Void

    /// A scorer of `model` on `calibration`, whose labels `seed` draws. `reference` makes the float model when it is first
    /// needed; `progress` gets the share of the sweep that is done.
    package init(
        model: Model, calibration: TokenSequences, seed: UInt64, store: ScoreStore, pool: ThreadPool,
        reference: @escaping () throws -> ReferenceModel,
        progress: @escaping (_ fraction: Double, _ text: String) throws -> Void
    ) {
        self.model = model
        self.calibration = calibration
        self.seed = seed
        self.store = store
        self.pool = pool
        self.reference = reference
        self.progress = progress
    }

    private var context: String { ScoreContext(model: model, calibration: calibration, seed: seed).key }

    /// The scores of all choices of `catalogs`, and of their cache formats.
    package func scores(for catalogs: [ChoiceCatalog]) throws -> Scores {
        try scores(of: catalogs.flatMap(\.groups), caches: Set(catalogs.flatMap(\.kvFormats)))
    }

    /// The scores of all choices of `groups`, and of the cache formats.
    package func scores(of groups: [ChoiceGroup], caches: Set<String>) throws -> Scores {
        let context = context
        var scores = Scores(values: try store.scores(context), importances: [:])
        for name in Set(groups.flatMap { $0.tensors.map(\.name) }) {
            scores.importances[name] = try storedImportance(name, context)
        }
        try measureGroups(groups, into: &scores)
        try measureCaches(caches, into: &scores)
        return scores
    }

    private func measureGroups(_ groups: [ChoiceGroup], into scores: inout Scores) throws {
        var wanted: [(group: ChoiceGroup, missing: [Choice])] = []
        for group in groups {
            let known = wanted.firstIndex { $0.group.name == group.name && $0.group.tensors == group.tensors }
            let missing = group.choices.filter { choice in
                scores.values[ScoreName(group: group.name, choice: choice.name)] == nil
                    && !(known.map { wanted[$0].missing.contains(choice) } ?? false)
            }
            if let known { wanted[known].missing += missing } else { wanted.append((group, missing)) }
        }
        let isComplete = wanted.allSatisfy { entry in
            entry.missing.isEmpty && entry.group.tensors.allSatisfy { scores.importances[$0.name] != nil }
        }
        if isComplete { return }
        let context = context
        var found = scores
        var visitor = SensitivityVisitor(
            model: model, wanted: wanted, known: scores.values, calibration: calibration, pool: pool
        ) { finding in
            let importances = finding.importances
            try store.put(finding.scores, in: context)
            try store.put(
                Dictionary(uniqueKeysWithValues: importances.map { (Self.columns($0.key), $0.value.columns) }),
                in: context)
            try store.put(
                Dictionary(uniqueKeysWithValues: importances.map { (Self.rows($0.key), $0.value.rows) }), in: context)
            found.values.merge(finding.scores) { first, _ in first }
            found.importances.merge(importances) { first, _ in first }
            try progress(finding.fraction, finding.name)
        }
        let sweep = try FisherSweep(model: try reference(), sequences: calibration.sequences)
        try sweep.run(labels: .sampled(seed: seed), visitor: &visitor)
        scores = found
    }

    private func measureCaches(_ formats: Set<String>, into scores: inout Scores) throws {
        for format in formats.sorted() {
            let name = ScoreName(group: Scores.cacheGroup, choice: format)
            guard scores.values[name] == nil, let kv = KVFormat(rawValue: format) else { continue }
            let value = try CacheScorer(model: model, calibration: calibration, pool: pool).sensitivity(of: kv)
            try store.put([name: value], in: context)
            scores.values[name] = value
        }
    }

    private func storedImportance(_ tensor: String, _ context: String) throws(TuningError) -> TensorImportance? {
        guard let columns: [Float] = try store.vector(Self.columns(tensor), in: context),
            let rows: [Float] = try store.vector(Self.rows(tensor), in: context)
        else { return nil }
        return TensorImportance(columns: columns, rows: rows)
    }

    private static func columns(_ tensor: String) -> String { "\(tensor) columns" }
    private static func rows(_ tensor: String) -> String { "\(tensor) rows" }
}
