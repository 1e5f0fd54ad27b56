import Foundation
import ModelFiles
import Testing

@Suite struct SafetensorsShardsTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Replaces `old` in the index of a copy of the sharded fixture, and says what opening it throws.
    private func refusal(replacing old: String, by new: String) throws -> ModelError? {
        let copy = try directory.copy(of: ModelFixtures.tiny)
        let index = copy + "/model.safetensors.index.json"
        let text = try String(contentsOfFile: index, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(toFile: index, atomically: true, encoding: .utf8)
        return modelError { _ = try SafetensorsShards(directory: copy) }
    }

    @Test func readsTheShardsThatTransformersWrites() throws {
        let shards = try SafetensorsShards(directory: ModelFixtures.tiny)
        #expect(shards.readers.count == 2)
        // Embedding, head, last norm and nine tensors for each of two layers.
        #expect(shards.readers.reduce(0) { $0 + $1.tensors.count } == 21)
    }

    @Test func aMissingShardIsNamedWithARemedy() throws {
        let copy = try directory.copy(of: ModelFixtures.tiny)
        let shard = copy + "/model-00001-of-00002.safetensors"
        try FileManager.default.removeItem(atPath: shard)
        let error = modelError { _ = try SafetensorsShards(directory: copy) }
        #expect(
            error?.description
                == "\(shard): is missing; model.safetensors.index.json names it: fetch this shard too")
    }

    @Test func indexAndShardsMustAgree() throws {
        let missing = try refusal(replacing: "model.norm.weight", by: "model.other.weight")
        #expect(missing?.place == "tensor model.other.weight")
        #expect(missing?.message.contains("is not in this shard") == true)
        let extra = try refusal(
            replacing: "\"model.norm.weight\": \"model-00002-of-00002.safetensors\"",
            by: "\"lm_head.weight2\": \"model-00003.safetensors\"")
        #expect(extra?.message.contains("the index does not say so") == true)
    }

    @Test func anIndexCannotReachOutsideItsDirectory() throws {
        let error = try refusal(replacing: "model-00002-of-00002.safetensors", by: "../bard/model.safetensors")
        #expect(error?.message == "must name a file of this directory")
    }

    @Test func aDirectoryWithoutWeightsIsNamed() {
        let error = modelError { _ = try SafetensorsShards(directory: directory.path) }
        #expect(error?.code == .unreadable)
        #expect(error?.message.contains("neither model.safetensors nor model.safetensors.index.json") == true)
    }
}
