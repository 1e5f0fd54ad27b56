import Compute
import Foundation
import IntegerRuntime
import ModelFiles
import Quantization
import Testing

@Suite("GGUF files as they are")
struct GGUFModelTests {
    /// The fixture model with every matrix in one block type, written and read back.
    private func model(_ format: BlockFormat, in directory: URL) throws -> Model {
        let source = try Bard.model()
        let pool = ThreadPool(threads: 2)
        let names = TensorName.all(of: source.configuration)
        let tensors = try names.map { try source.tensor($0).matrix() }
        let path = directory.appending(path: "bard-\(format.rawValue).gguf").path()
        var writer = try GGUFWriter(
            path: path, entries: source.metadata,
            tensors: zip(names, tensors).map { name, matrix in
                matrix.rows == 1
                    ? (name, .f32, [matrix.columns]) : (name, format.tensorType, [matrix.columns, matrix.rows])
            })
        for matrix in tensors {
            if matrix.rows == 1 {
                try writer.append(matrix.values.withUnsafeBytes { [UInt8]($0) })
            } else {
                try writer.append(BlockQuantizer.quantize(matrix, as: format, pool: pool).bytes)
            }
        }
        try writer.finish()
        return try Model.open(path)
    }

    @Test(
        "every block type runs on llama.cpp's activations, near the reference on the same weights",
        arguments: BlockFormat.allCases)
    func everyType(format: BlockFormat) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "fettle-runtime-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let model = try model(format, in: directory)
        let weights = try RuntimeWeights(model: model, pool: ThreadPool(threads: 2))
        #expect(weights.matrices.values.allSatisfy { $0.activation == format.activation })
        let tokens = try Bard.tokens(64)
        let all = try InstructionSet.allCases.filter(\.isSupported).map { set in
            try Bard.logits(try Bard.integer(weights, set: set, threads: 2), tokens)
        }
        #expect(all.allSatisfy { $0 == all[0] })
        // What is left is int8 activations: per 32 inputs, or per 256 for K types. A wrong scale gives tenths of a nat.
        let divergence = try Bard.divergence(of: all[0], tokens: tokens, model: model)
        #expect(divergence < (format.activation == .q8_k ? 0.01 : 0.003))
        #expect(divergence > 1e-7)
    }

    @Test("floats become half precision with float activations")
    func floats() throws {
        let model = try Bard.model()
        let weights = try RuntimeWeights(model: model, pool: ThreadPool(threads: 1))
        #expect(weights.matrices.values.allSatisfy { $0.activation == .float && $0.format == .float16 })
        #expect(weights.norms.count == 2 * model.configuration.layers + 1)
    }
}
