import Compute
import Foundation
import ModelFiles
import Testing

@Suite struct ModelTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func bardOpensWithItsConfiguration() throws {
        let model = try Model.open(ModelFixtures.bard)
        #expect(
            model.configuration
                == ModelConfiguration(
                    architecture: .llama, vocabulary: 1024, width: 256, feedForward: 512, layers: 4, heads: 4,
                    keyValueHeads: 2, headWidth: 64, context: 256, normEpsilon: 1e-5, rotaryBase: 10000,
                    rotaryPairing: .adjacent, tiedEmbedding: true))
        #expect(model.configuration.parameters == 2_623_744)
        #expect(model.tensors.values.reduce(0) { $0 + $1.rows * $1.columns } == 2_623_744)
        #expect(model.name == "bard" && model.fileType == "f16" && !model.isQuantized)
        let again = try Model.open(ModelFixtures.bard + "/")
        #expect(model.digest.count == 64 && model.digest == again.digest && again.name == "bard")
    }

    /// Rows of the canonical order, which for k is not the file's, and columns, each with its own factor; nothing else changes.
    @Test func tensorsAreReadTimesTheirFactors() throws {
        let model = try Model.open(ModelFixtures.bard)
        let name = "blk.0.attn_k.weight"
        let plain = try model.tensor(name).matrix()
        let rows = (0..<plain.rows).map { 1 + Float($0) / 64 }
        let columns = (0..<plain.columns).map { exp2(Float($0 % 5) - 2) }
        let scaled = try model.scaling([name: ChannelScaling(rows: rows, columns: columns)], digest: "other")
        let expected = plain.values.indices.map {
            plain.values[$0] * columns[$0 % plain.columns] * rows[$0 / plain.columns]
        }
        #expect(try scaled.tensor(name).matrix().values == expected)
        #expect(scaled.digest == "other" && scaled.configuration == model.configuration)
        #expect(
            try scaled.tensor("blk.0.attn_q.weight").matrix() == model.tensor("blk.0.attn_q.weight").matrix())
        #expect(throws: ModelError.self) {
            try model.scaling([name: ChannelScaling(rows: [1, 2])], digest: "other")
        }
    }

    /// llama.cpp's converter made the checksums: its row order of q and k, its names.
    @Test func bardsTensorsAreThoseOfLlamaCppsConverter() throws {
        let model = try Model.open(ModelFixtures.bard)
        let golden = try #require(try ModelFixtures.json("bard.json")["tensors"]?.members)
        #expect(Set(golden.map(\.key)) == Set(model.tensors.keys))
        for member in golden {
            let sum = try model.tensor(member.key).matrix().values.withUnsafeBytes(ModelFixtures.crc32)
            #expect(sum == member.value.integer, "\(member.key)")
        }
    }

    /// The converter's metadata, but for names that only leader boards read; `add_bos_token` is ours to say.
    @Test func bardsMetadataIsThatOfLlamaCppsConverter() throws {
        var entries = try Model.open(ModelFixtures.bard).metadata
        let golden = try #require(try ModelFixtures.json("bard.json")["metadata"]?.elements)
        for item in golden where item["key"]?.string != "general.size_label" {
            let key = try #require(item["key"]?.string)
            let entry = entries.removeFirst()
            #expect(entry.key == key)
            #expect(Int(entry.value.typeNumber) == item["types"]?.elements?.first?.integer)
            let expected = try #require(item["value"])
            switch entry.value {
            case .array(let elementType, let elements):
                #expect(Int(elementType) == item["types"]?.elements?.last?.integer)
                #expect(elements.count == expected["count"]?.integer)
                let texts = elements.map { $0.string ?? $0.integer.map(String.init) ?? "" }
                let sum = Array(texts.joined(separator: "\n").utf8).withUnsafeBytes(ModelFixtures.crc32)
                #expect(sum == expected["crc32"]?.integer, "\(key)")
            case .float32(let value): #expect(Double(value) == expected.double)
            case .string(let value): #expect(value.lowercased() == expected.string?.lowercased())
            default: #expect(entry.value.integer == expected.integer, "\(key)")
            }
        }
        #expect(entries == [GGUFEntry(key: "tokenizer.ggml.add_bos_token", value: .bool(false))])
    }

    /// The directory is transformers', the file llama.cpp's converter made of it.
    @Test func aDirectoryAndItsConvertedFileAreOneModel() throws {
        let source = try Model.open(ModelFixtures.tiny)
        let converted = try Model.open(ModelFixtures.tinyGGUF)
        var configuration = source.configuration
        configuration.rotaryDivisors = converted.configuration.rotaryDivisors
        #expect(configuration == converted.configuration)
        let divisors = try #require(source.configuration.rotaryDivisors)
        let golden = try #require(converted.configuration.rotaryDivisors)
        #expect(divisors.count == 4 && golden.count == 4)
        // Both in float32, with other powers: a few roundings apart.
        for (divisor, value) in zip(divisors, golden) { #expect(abs(divisor / value - 1) < 1e-6) }
        #expect(!source.configuration.tiedEmbedding && source.configuration.headWidth == 8)
        #expect(Set(source.tensors.keys) == Set(converted.tensors.keys))
        for (name, tensor) in source.tensors {
            #expect(tensor.matrix() == converted.tensors[name]?.matrix(), "\(name)")
        }
        let ours = source.metadata.filter { $0.key != "tokenizer.ggml.add_bos_token" && $0.key != "general.name" }
        let theirs = converted.metadata.filter { $0.key != "general.size_label" && $0.key != "general.name" }
        #expect(ours == theirs)
        // 261 tokens; the embedding has three rows more.
        #expect(source.tokenizer.count == 261)
        let tokens = try #require(source.metadata.value(of: "tokenizer.ggml.tokens")?.elements)
        #expect(tokens.suffix(4) == [.string("in"), .string("[PAD261]"), .string("[PAD262]"), .string("[PAD263]")])
    }

    /// Reads every row of `model` into a GGUF file of its own and opens that.
    @Test func aModelWrittenAsGGUFIsTheSameModel() throws {
        for path in [ModelFixtures.bard, ModelFixtures.tiny] {
            let model = try Model.open(path)
            let names = TensorName.all(of: model.configuration)
            let copy = directory.path + "/copy.gguf"
            let divisors = model.configuration.rotaryDivisors
            let descriptions: [GGUFWriter.Description] = try names.map { name in
                let tensor = try model.tensor(name)
                return (name, .f32, tensor.rows == 1 ? [tensor.columns] : [tensor.columns, tensor.rows])
            }
            var writer = try GGUFWriter(
                path: copy, entries: model.metadata,
                tensors: descriptions + (divisors.map { [("rope_freqs.weight", .f32, [$0.count])] } ?? []))
            for name in names {
                try writer.append(try model.tensor(name).matrix().values.withUnsafeBytes { Array($0) })
            }
            if let divisors { try writer.append(divisors.withUnsafeBytes { Array($0) }) }
            try writer.finish()
            let read = try Model.open(copy)
            #expect(read.configuration == model.configuration)
            #expect(read.fileType == "f32" && read.name == "copy")
            for name in names {
                let original = try model.tensor(name).matrix()
                #expect(try read.tensor(name).matrix() == original)
            }
        }
    }

    /// numpy: arange(8).reshape(2, 2, 2).swapaxes(1, 2).reshape(8), and the like for one head of 6.
    @Test func qAndKRowsArePermutedAsTheConverterDoes() throws {
        let model = try Model.open(ModelFixtures.tiny)
        let order = try #require(try model.tensor("blk.0.attn_k.weight").rowOrder)
        #expect(order == [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15])
        #expect(try model.tensor("blk.0.attn_v.weight").rowOrder == nil)
    }
}
