import Compute
import Foundation
import IntegerRuntime
import ModelFiles
import Quantization
import Reference

/// The fixture model, packed in one format.
enum Bard {
    static func model() throws -> Model {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Model.open(fixtures.appending(path: "Fixtures/bard").path())
    }

    /// Some of its own kind of text, as tokens.
    static func tokens(_ count: Int) throws -> [Int32] {
        let text = """
            First Citizen: Before we proceed any further, hear me speak. All: Speak, speak. First Citizen: You are all \
            resolved rather to die than to famish? All: Resolved. resolved. First Citizen: First, you know Caius \
            Marcius is chief enemy to the people. All: We know't, we know't. First Citizen: Let us kill him, and we'll \
            have corn at our own price. Is't a verdict? All: No more talking on't; let it be done: away, away!
            """
        return Array(try model().tokenizer.encode(text).prefix(count))
    }

    static func weights(
        _ format: GridFormat?, _ activation: Activation, frozenScale: Float? = nil
    ) throws -> RuntimeWeights {
        let model = try model()
        let pool = ThreadPool(threads: 2)
        var weights = RuntimeWeights(matrices: [:], norms: [:])
        for (name, tensor) in model.tensors {
            let matrix = tensor.matrix()
            if matrix.rows == 1 {
                weights.norms[name] = matrix.values
                continue
            }
            let packed =
                if let format {
                    try PackedMatrix(
                        packing: GridQuantizer.quantize(matrix, as: format, clip: false, pool: pool), pool: pool)
                } else {
                    try PackedMatrix(float16: matrix, pool: pool)
                }
            weights.matrices[name] = try RuntimeMatrix(
                packed: packed, activation: activation, frozenScale: frozenScale)
        }
        return weights
    }

    static func integer(
        _ weights: RuntimeWeights, kv: KVFormat = .float16, set: InstructionSet = .best, threads: Int = 1,
        context: Int = 128, chunk: Int = 24
    ) throws -> IntegerModel {
        try IntegerModel(
            configuration: try model().configuration, weights: weights, kv: kv, context: context, prefillChunk: chunk,
            pool: ThreadPool(threads: threads, instructionSet: set))
    }

    /// Logits of every token in one go.
    static func logits(_ model: IntegerModel, _ tokens: [Int32]) throws -> Matrix {
        try model.forward(tokens: tokens, cache: try model.makeCache(), logits: .rows(0..<tokens.count))
    }

    /// Mean KL divergence of `candidate` from the float32 reference of `model`, in nats per token.
    static func divergence(of candidate: Matrix, tokens: [Int32], model: Model? = nil) throws -> Double {
        let model = try model ?? Self.model()
        let pool = ThreadPool(threads: 2)
        let reference = try ReferenceModel(configuration: model.configuration, pool: pool) {
            try model.tensor($0).matrix()
        }
        let exact = try reference.logits(tokens: tokens, rows: 0..<tokens.count)
        let rows = try pool.compareLogits(reference: exact, candidate: candidate, targets: tokens)
        return rows.reduce(0) { $0 + $1.divergence } / Double(rows.count)
    }
}
