package import Compute
internal import IntegerRuntime
package import ModelFiles
package import Quantization
package import Reference

/// Sees to it that every choice has a score: takes what the store has, and measures the rest in one sweep.
package struct Scorer {
    private let model: Model
    private let calibration: TokenSequences
    private let seed: UInt64
    private let observer: RangeObserver
    private let store: ScoreStore
    private let pool: ThreadPool
    private let reference: () throws -> ReferenceModel
    private let part: (shard: Shard, work: SharedWork)?
    private let progress: (_ fraction: Double, _ text: String) throws -> Void

    /// A scorer of `model` on `calibration`, whose labels `seed` draws. `reference` makes the float model when it is first
    /// needed; `progress` gets the share of the sweep that is done. With a `part`, only the shard's groups are scored, from what
    /// the shards record together.
    package init(
        model: Model, calibration: TokenSequences, seed: UInt64, observer: RangeObserver = .mse, store: ScoreStore,
        pool: ThreadPool, reference: @escaping () throws -> ReferenceModel,
        part: (shard: Shard, work: SharedWork)? = nil,
        progress: @escaping (_ fraction: Double, _ text: String) throws -> Void
    ) {
        self.model = model
        self.calibration = calibration
        self.seed = seed
        self.observer = observer
        self.store = store
        self.pool = pool
        self.reference = reference
        self.part = part
        self.progress = progress
    }

    private var context: String {
        ScoreContext(model: model, calibration: calibration, seed: seed, observer: observer).key
    }

    /// The scores of all choices of `catalogs`, and of their cache formats.
    package func scores(for catalogs: [ChoiceCatalog]) throws -> Scores {
        try scores(of: catalogs.flatMap(\.groups), caches: Set(catalogs.flatMap(\.kvFormats)))
    }

    /// The scores of all choices of `groups`, and of the cache formats; of the shard's where there is one.
    package func scores(of groups: [ChoiceGroup], caches: Set<String>) throws -> Scores {
        let context = context
        let examples = CodedScorer.examples(among: groups)
        let (groups, caches) = own(groups, caches)
        var scores = Scores(values: try store.scores(context), importances: [:])
        for name in Set((groups + examples.values).flatMap { $0.tensors.map(\.name) }) {
            scores.importances[name] = try storedImportance(name, context)
        }
        try measureGroups(groups, examples, into: &scores)
        try measureCaches(caches, into: &scores)
        return scores
    }

    /// The scores that the store has, importances among them, for the formats of `catalog` that miss none in any group, and these
    /// formats.
    func known(of catalog: ChoiceCatalog) throws -> (scores: Scores, formats: Set<Format>) {
        let context = context
        var scores = Scores(values: try store.scores(context), importances: [:])
        for name in Set(catalog.groups.flatMap { $0.tensors.map(\.name) }) {
            scores.importances[name] = try storedImportance(name, context)
        }
        var formats = Set(catalog.groups.flatMap { $0.choices.map(\.format) })
        for group in catalog.groups {
            for choice in group.choices
            where scores.values[ScoreName(group: group.name, choice: choice.name)] == nil
                || group.tensors.contains(where: { scores.importances[$0.name] == nil })
            {
                formats.remove(choice.format)
            }
        }
        return (scores, formats)
    }

    /// Seconds that the missing scores of `catalog` may take: a sweep (a pass forward, two back) and a product for each choice that it
    /// measures.
    func seconds(for catalog: ChoiceCatalog, beside known: Scores) -> Double {
        let missing = MissingScores(
            catalog.groups, examples: CodedScorer.examples(among: catalog.groups), beside: known.values)
        if missing.isSwept(knowing: known.importances) { return 0 }
        let products = missing.swept.reduce(0) { $0 + $1.group.weights * $1.choices.count }
        let tokens = calibration.sequences.reduce(0) { $0 + $1.count }
        let operations = 2 * Double(tokens) * Double(3 * model.configuration.parameters + products)
        return operations / (Self.operationsPerSecond * Double(pool.threads))
    }

    /// Of a thread while choices are scored, fits of their formats among them: half of what a Zen 4 core reaches.
    private static let operationsPerSecond = 30e9

    /// The shard's groups and cache formats. Groups of one name stay together: they share what is measured.
    private func own(_ groups: [ChoiceGroup], _ caches: Set<String>) -> ([ChoiceGroup], Set<String>) {
        guard let shard = part?.shard, shard.count > 1 else { return (groups, caches) }
        var names: [String] = []
        var costs: [Double] = []
        for group in groups {
            let cost = Double(group.weights * group.choices.count)
            if let place = names.firstIndex(of: group.name) {
                costs[place] += cost
            } else {
                names.append(group.name)
                costs.append(cost)
            }
        }
        // The caches' formats are measured by runs of the whole model: about as dear as a format for all groups.
        let whole = Double(model.configuration.parameters * caches.count)
        let mine = shard.part(of: costs + [whole])
        let own = Set(names.indices.filter(mine.contains).map { names[$0] })
        return (groups.filter { own.contains($0.name) }, mine.contains(names.count) ? caches : [])
    }

    private func measureGroups(
        _ groups: [ChoiceGroup], _ examples: [String: ChoiceGroup], into scores: inout Scores
    ) throws {
        let missing = MissingScores(groups, examples: examples, beside: scores.values)
        if !missing.isSwept(knowing: scores.importances) { try sweep(missing.swept, into: &scores) }
        var scorer = CodedScorer(
            quantizer: MatrixQuantizer(model: model, pool: pool), scores: scores, examples: examples)
        var found: [ScoreName: Double] = [:]
        for (group, choices) in missing.coded {
            for choice in choices {
                found[ScoreName(group: group.name, choice: choice.name)] = try scorer.sensitivity(of: choice, in: group)
            }
        }
        try store.put(found, in: context)
        scores.values.merge(found) { first, _ in first }
    }

    private func sweep(_ wanted: MissingScores.Part, into scores: inout Scores) throws {
        let context = context
        var found = scores
        var visitor = SensitivityVisitor(
            model: model, wanted: wanted, weighed: Set(scores.importances.keys), calibration: calibration,
            observer: observer, pool: pool
        ) { finding in
            let importances = finding.importances
            try store.put(finding.scores, in: context)
            try store.put(
                Dictionary(uniqueKeysWithValues: importances.map { (Self.columns($0.key), $0.value.columns) }),
                in: context)
            try store.put(
                Dictionary(uniqueKeysWithValues: importances.map { (Self.rows($0.key), $0.value.rows) }), in: context)
            let scales = importances.compactMapValues(\.frozenScale).map { (Self.frozenScale($0.key), [$0.value]) }
            try store.put(Dictionary(uniqueKeysWithValues: scales), in: context)
            found.values.merge(finding.scores) { first, _ in first }
            found.importances.merge(importances) { _, new in new }
            try progress(finding.fraction, finding.name)
        }
        if let part {
            try replay(part.work, wanted.map(\.group), visitor: &visitor)
        } else {
            let sweep = try FisherSweep(model: try reference(), sequences: calibration.sequences)
            try sweep.run(
                labels: .sampled(seed: seed), visitor: &visitor, memory: SweepFiles(beside: store, of: context))
        }
        scores = found
    }

    /// Runs `visitor` over the shards' common records, of which each shard makes those that no other one has begun.
    private func replay(_ work: SharedWork, _ groups: [ChoiceGroup], visitor: inout SensitivityVisitor) throws {
        let sequences = calibration.sequences
        let key = ScoreContext.digest(of: context)
        let paths = try work.files(
            sequences.indices.map { "\(key).\($0).sweep" }, wait: { try progress(0, "waiting for other shards") }
        ) { index, path in
            try progress(0, "recording sequence \(index)")
            var recorder = try SweepRecorder(path: path)
            let sweep = try FisherSweep(
                model: try reference(), sequences: [sequences[index]],
                firstRow: sequences[..<index].reduce(0) { $0 + $1.count })
            try sweep.run(labels: .sampled(seed: seed), visitor: &recorder)
            try recorder.finish()
        }
        let records = try zip(paths, sequences).map {
            try SweepRecord(path: $0, rows: $1.count, configuration: model.configuration)
        }
        let configuration = model.configuration
        try SweepReplay(records: records, layers: configuration.layers).run(visitor: &visitor) { place in
            groups.contains { group in
                guard let place else { return group.role != .layer }
                return ScoringUnit(
                    group, layer: place.layer, shown: place.group, missing: [], configuration: configuration) != nil
            }
        }
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
        let scale: [Float]? = try store.vector(Self.frozenScale(tensor), in: context)
        return TensorImportance(columns: columns, rows: rows, frozenScale: scale?.first)
    }

    private static func columns(_ tensor: String) -> String { "\(tensor) columns" }
    private static func frozenScale(_ tensor: String) -> String { "\(tensor) frozen scale" }
    private static func rows(_ tensor: String) -> String { "\(tensor) rows" }
}
