internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Reference

/// What a format of the KV cache costs: the KL divergence between two runs of the integer runtime on the same 8-bit
/// weights, one with the format and one with an f16 cache.
struct CacheScorer {
    let model: Model
    let calibration: TokenSequences
    let pool: ThreadPool

    /// Sequences that are run: the divergence is small, and its mean over a few hundred positions steady.
    private static let sequences = 2

    /// Nats per token of `format`, 0 for f16.
    func sensitivity(of format: KVFormat) throws -> Double {
        guard format != .float16 else { return 0 }
        let weights = try self.weights()
        let sequences = Array(calibration.sequences.prefix(Self.sequences))
        let longest = sequences.map(\.count).max() ?? 1
        var logits: [[Matrix]] = []
        for kv in [KVFormat.float16, format] {
            let runtime = try IntegerModel(
                configuration: model.configuration, weights: weights, kv: kv, context: longest, pool: pool)
            logits.append(
                try sequences.map { tokens in
                    try runtime.forward(
                        tokens: tokens, cache: try runtime.makeCache(capacity: tokens.count),
                        logits: .rows(tokens.count / 2..<tokens.count))
                })
        }
        var sum = 0.0
        var count = 0
        for (exact, rounded) in zip(logits[0], logits[1]) {
            let targets = [Int32](repeating: 0, count: exact.rows)
            let rows = try pool.compareLogits(reference: exact, candidate: rounded, targets: targets)
            sum = rows.reduce(sum) { $0 + $1.divergence }
            count += rows.count
        }
        return max(0, sum / Double(max(1, count)))
    }

    private func weights() throws -> RuntimeWeights {
        var result = RuntimeWeights(matrices: [:], norms: [:])
        for name in TensorName.all(of: model.configuration) {
            let matrix = try model.tensor(name).matrix()
            if matrix.rows == 1 {
                result.norms[name] = matrix.values
            } else {
                let quantized = try GridQuantizer.quantize(
                    matrix, as: GridFormat(.uniform, bits: 8, .group(32)), clip: false, pool: pool)
                result.matrices[name] = try RuntimeMatrix(
                    packed: try PackedMatrix(packing: quantized, pool: pool), activation: .int8g32)
            }
        }
        return result
    }
}
