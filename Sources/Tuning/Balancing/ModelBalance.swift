internal import Compute
internal import ModelFiles
internal import Quantization
internal import Reference

/// Refinement `awq` or `smooth` on a whole model: the columns of each matrix are multiplied by factors that suit a grid or a
/// static range, and what makes its input is divided by them: the norm before q, k, v and before gate and up; the rows of v
/// before the attention's output; the rows of up before down. The function stays the same, and nothing is left to do at run time.
struct ModelBalance {
    let model: Model
    let calibration: TokenSequences
    let seed: UInt64
    let store: ScoreStore
    /// What several processes make together; nil where this one is alone.
    let shared: SharedWork?
    let refinement: Refinement
    /// The grid that `awq` tries errors on.
    let format: GridFormat
    let pool: ThreadPool
    let progress: (_ fraction: Double, _ text: String) throws -> Void

    /// Tokens that second moments are taken from: only a small power of them counts.
    private static let tokens = 1024

    /// The balanced model. Its digest, which begins with the source's, stands for the factors too, so that scores of the plain
    /// one are not taken for its own.
    /// `reference` makes the float model where the store does not know the factors.
    func balanced(reference: () throws -> ReferenceModel) throws -> Model {
        let factors = try self.factors(reference)
        let hash = SHA256()
        for (site, values) in factors.sorted(by: { $0.key < $1.key }) {
            hash.update(site.utf8)
            values.withUnsafeBytes { hash.update($0) }
        }
        return try model.scaling(scalings(factors), digest: "\(model.digest) balanced \(hash.hexadecimal())")
    }

    /// The factors by site, those that do not help left out.
    private func factors(_ reference: () throws -> ReferenceModel) throws -> [String: [Float]] {
        let context =
            ScoreContext(model: model, calibration: calibration, seed: seed).key
            + " balance=\(refinement == .smooth ? refinement.rawValue : format.description)"
        var known: [String: [Float]] = [:]
        let sites = (0..<model.configuration.layers).flatMap { layer in
            LayerGroup.allCases.map { Self.name(layer, $0) }
        }
        for site in sites { known[site] = try store.vector(site, in: context) }
        if known.count < sites.count {
            if let shared {
                known = try BalanceFile(sites: sites, key: ScoreContext.digest(of: context)).factors(
                    shared, wait: { try progress(0, "waiting for another shard's factors") },
                    find: { try find(beside: known, in: context, reference()) })
                try store.put(known, in: context)
            } else {
                known = try find(beside: known, in: context, reference())
            }
        }
        return known.filter { !$0.value.isEmpty }
    }

    /// The factors of all sites, of which some are `known`; each is stored as soon as it is found.
    private func find(
        beside known: [String: [Float]], in context: String, _ reference: ReferenceModel
    ) throws -> [String: [Float]] {
        var result = known
        let length = max(1, calibration.sequences.map(\.count).max() ?? 1)
        let sweep = try FisherSweep(
            model: reference, sequences: Array(calibration.sequences.prefix(max(1, Self.tokens / length))))
        var visitor = BalanceVisitor(
            model: model, refinement: refinement, format: format, sequence: calibration.period, pool: pool,
            known: Set(known.keys)
        ) { site, factors, fraction in
            result[site] = factors
            try store.put([site: factors], in: context)
            try progress(fraction, model.name)
        }
        try sweep.run(labels: .sampled(seed: seed), visitor: &visitor, memory: SweepFiles(beside: store, of: context))
        return result
    }

    /// What every tensor is multiplied by.
    private func scalings(_ factors: [String: [Float]]) -> [String: ChannelScaling] {
        var result: [String: ChannelScaling] = [:]
        for layer in 0..<model.configuration.layers {
            func scale(_ part: TensorName.Part, columns: [Float]) {
                result[TensorName.layer(layer, part), default: ChannelScaling()].columns = columns
            }
            func divideRows(_ part: TensorName.Part, by factors: [Float]) {
                result[TensorName.layer(layer, part), default: ChannelScaling()].rows = factors.map { 1 / $0 }
            }
            if let found = factors[Self.name(layer, .attentionInput)] {
                for part in [TensorName.Part.query, .key, .value] { scale(part, columns: found) }
                scale(.attentionNorm, columns: found.map { 1 / $0 })
            }
            if let found = factors[Self.name(layer, .attentionOutput)] {
                scale(.attentionOutput, columns: Self.valuePlaces(model.configuration).map { found[$0] })
                divideRows(.value, by: found)
            }
            if let found = factors[Self.name(layer, .feedForwardInput)] {
                for part in [TensorName.Part.gate, .up] { scale(part, columns: found) }
                scale(.feedForwardNorm, columns: found.map { 1 / $0 })
            }
            if let found = factors[Self.name(layer, .down)] {
                scale(.down, columns: found)
                divideRows(.up, by: found)
            }
        }
        return result
    }

    /// The name of what matrices of `layer` read.
    static func name(_ layer: Int, _ group: LayerGroup) -> String { "blk.\(layer).\(group.rawValue)" }

    /// For each input of the attention's output matrix, the row of v that it comes from: heads that share keys and values share
    /// their factors.
    static func valuePlaces(_ configuration: ModelConfiguration) -> [Int] {
        let width = configuration.headWidth
        let shared = configuration.heads / configuration.keyValueHeads
        return (0..<configuration.heads * width).map { $0 / width / shared * width + $0 % width }
    }
}
