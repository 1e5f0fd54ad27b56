internal import Compute
internal import Foundation
package import IntegerRuntime
package import ModelFiles

/// golden.json: what the runtime must answer to fixed prompts, so that a device can test itself without the source model.
///
/// A digest is the SHA-256 of the logits after the prompt's last token as little-endian float32: the runtime's results are
/// the same bits on every instruction set and at any thread count.
package struct GoldenVectors: Codable, Sendable, Equatable {
    package struct Vector: Codable, Sendable, Equatable {
        package var prompt: String
        package var tokens: [Int32]
        package var top: Int32
        package var logitsDigest: String

        enum CodingKeys: String, CodingKey {
            case prompt, tokens, top
            case logitsDigest = "logits_sha256"
        }
    }

    package var vectors: [Vector]

    /// Name of the file in a bundle.
    package static let fileName = "golden.json"

    /// The prompts: short enough for any context, varied enough to touch letters, digits and punctuation.
    private static let prompts = ["The", "Once upon a time there was", "In 1969, 3 + 4 = 7; and so (they said):"]

    /// Runs the prompts on `model`.
    package init(model: IntegerModel, tokenizer: Tokenizer) throws(RuntimeError) {
        vectors = []
        for prompt in Self.prompts {
            let tokens = Array(tokenizer.encode(prompt).prefix(model.context))
            let (top, digest) = try Self.answer(model, tokens)
            vectors.append(Vector(prompt: prompt, tokens: tokens, top: top, logitsDigest: digest))
        }
    }

    /// Reads golden.json in `directory`.
    package init(directory: String) throws(BundleError) {
        let path = "\(directory)/\(Self.fileName)"
        guard let data = FileManager.default.contents(atPath: path),
            let vectors = try? JSONDecoder().decode(GoldenVectors.self, from: data)
        else {
            throw BundleError(.malformed, file: path, "cannot be read; copy or make the bundle again")
        }
        self = vectors
    }

    /// The file's content.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    /// The prompts that `model` answers otherwise.
    package func failures(of model: IntegerModel) throws(RuntimeError) -> [Vector] {
        var result: [Vector] = []
        for vector in vectors where try Self.answer(model, vector.tokens) != (vector.top, vector.logitsDigest) {
            result.append(vector)
        }
        return result
    }

    private static func answer(
        _ model: IntegerModel, _ tokens: [Int32]
    ) throws(RuntimeError) -> (top: Int32, digest: String) {
        let logits = try model.forward(
            tokens: tokens, cache: try model.makeCache(capacity: tokens.count), logits: .last)
        var top = 0
        for (index, value) in logits.values.enumerated() where value > logits.values[top] { top = index }
        let digest = SHA256()
        logits.values.withUnsafeBytes(digest.update)
        return (Int32(top), digest.hexadecimal())
    }
}
