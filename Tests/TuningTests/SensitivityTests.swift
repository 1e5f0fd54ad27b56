import Compute
import IntegerRuntime
import ModelFiles
import Quantization
import Reference
import Testing
import Tuning

/// Scores against the KL divergence itself, measured on the runtime with one group changed at a time.
struct SensitivityTests {
    @Test func rankChoicesAsMeasuredDivergenceDoes() throws {
        let pool = ThreadPool(threads: 2)
        let model = try Bard.model()
        let reference = try Bard.reference(model, pool)
        let sequences = try Self.texts(reference)
        let wanted = ["token_embd", "blk.0.attn_qkv", "blk.0.ffn_down", "blk.1.attn_output", "blk.3.ffn_gate_up"]
        let float = Choice(format: .float16, activation: .float, refinement: "")
        let formats = try ["u8g64", "u6g64", "a4g32", "k4g64", "k3g64", "a2g32", "k5ce36", "k4ce26"].map {
            Choice(spec: try Spec(parsing: $0))
        }
        let groups = ChoiceGroup.all(of: model.configuration, isFused: true).map { group in
            var group = group
            group.choices = wanted.contains(group.name) ? formats : [float]
            return group
        }
        let scores = try Scorer(
            model: model, calibration: TokenSequences(source: "test", sequences: sequences), seed: 3,
            store: try ScoreStore(path: nil), pool: pool, reference: { reference }, progress: { _, _ in }
        ).scores(of: groups, caches: ["f16"])

        var packer = PlanPacker(model: model, scores: scores, pool: pool)
        let text = try EvaluationText(TokenSequences(source: "test", sequences: sequences))
        var predicted: [Double] = []
        var measured: [Double] = []
        for name in wanted {
            let models = try formats.map { choice in
                try packer.runtimeModel(
                    of: Self.plan(groups, changing: name, to: choice, float: float), context: text.context)
            }
            let results = try QualityEvaluation(reference: reference, text: text, pool: pool)
                .run(models) { _ in }
            for (choice, result) in zip(formats, results) {
                predicted.append(try scores.sensitivity(name, choice.name))
                measured.append(result.measure(text: text, mode: "dynamic", predictedKL: nil).kl)
            }
        }
        let correlation = Self.rankCorrelation(predicted, measured)
        #expect(correlation > 0.9, "\(correlation): \(predicted) \(measured)")
        // Where the second-order term dominates, scores are divergences and not only ranks. A few hundred positions and the
        // dropped cross terms leave a factor of two.
        for (score, value) in zip(predicted, measured) where value > 1e-4 && value < 0.05 {
            #expect(score / value > 0.5 && score / value < 2, "\(score) for \(value)")
        }
    }

    private static func plan(
        _ groups: [ChoiceGroup], changing name: String, to choice: Choice, float: Choice
    ) -> Plan {
        Plan(
            kv: PlannedCache(format: "f16", sensitivity: 0, residentBytes: 0),
            groups: groups.map { group in
                PlannedGroup(
                    name: group.name, tensors: group.tensors.map(\.name), choice: group.name == name ? choice : float,
                    sensitivity: 0, residentBytes: 0, storedBytes: 0, prefillSeconds: 0, decodeSeconds: 0, joules: 0,
                    why: "")
            })
    }

    /// Text that the model writes itself, as the tuner's default does.
    private static func texts(_ reference: ReferenceModel) throws -> [[Int32]] {
        let count = 6
        var decoder = try ReferenceDecoder(model: reference, sequences: count, capacity: 128)
        var sampler = TokenSampler(rows: count, seed: 5, pool: reference.pool)
        var tokens = [Int32](repeating: 0, count: count)
        var result = tokens.map { [$0] }
        for _ in 1..<128 {
            tokens = sampler.sample(try decoder.step(tokens: tokens))
            for index in result.indices { result[index].append(tokens[index]) }
        }
        return result
    }

    /// Spearman's: the correlation of the ranks.
    private static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
        func ranks(_ values: [Double]) -> [Double] {
            var result = [Double](repeating: 0, count: values.count)
            for (rank, index) in values.indices.sorted(by: { values[$0] < values[$1] }).enumerated() {
                result[index] = Double(rank)
            }
            return result
        }
        let (x, y) = (ranks(a), ranks(b))
        let mean = Double(a.count - 1) / 2
        let covariance = zip(x, y).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
        return covariance / x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
}
