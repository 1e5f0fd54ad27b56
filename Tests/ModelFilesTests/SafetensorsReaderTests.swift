import Compute
import ModelFiles
import Testing

@Suite struct SafetensorsReaderTests {
    /// A safetensors file of `header` (its length made right unless given) and `data` zero bytes.
    private func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
        let text = Array(header.utf8)
        return withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) } + text
            + [UInt8](repeating: 0, count: data)
    }

    private func refusal(_ bytes: [UInt8]) throws -> ModelError? {
        let directory = try TemporaryDirectory()
        let path = try directory.write("model.safetensors", bytes)
        return modelError { _ = try SafetensorsReader(path: path) }
    }

    /// The shard was written by the safetensors library.
    @Test func readsWhatSafetensorsWrites() throws {
        let reader = try SafetensorsReader(path: ModelFixtures.bard + "/model.safetensors")
        #expect(reader.metadata.map(\.key) == ["format"] && reader.metadata.map(\.value) == ["pt"])
        #expect(reader.tensors.count == 38)
        let down = try #require(reader.tensors.first { $0.name == "model.layers.0.mlp.down_proj.weight" })
        // As the file's own header says.
        #expect(down.type == .f16 && down.shape == [256, 512])
        #expect(down.offset == 8 + 4040 + 524800 && down.bytes.count == 786944 - 524800)
    }

    @Test func aFileCutAnywhereIsAnError() throws {
        let directory = try TemporaryDirectory()
        let whole = try ModelFixtures.bytes(ModelFixtures.tiny + "/model-00002-of-00002.safetensors")
        for count in 0..<whole.count {
            let path = try directory.write("cut.safetensors", Array(whole[..<count]))
            #expect(modelError { _ = try SafetensorsReader(path: path) }?.code == .malformed, "cut at \(count)")
        }
    }

    @Test func damagedFilesNeverCrash() throws {
        let directory = try TemporaryDirectory()
        let whole = try ModelFixtures.bytes(ModelFixtures.tiny + "/model-00002-of-00002.safetensors")
        let header = 8 + Int(whole[0]) + Int(whole[1]) << 8
        var generator = SeededGenerator(seed: 5)
        var errors = 0
        for _ in 0..<4000 {
            var bytes = whole
            let position = Int.random(in: 0..<header, using: &generator)
            bytes[position] ^= UInt8.random(in: 1...255, using: &generator)
            let path = try directory.write("damaged.safetensors", bytes)
            let error = modelError {
                for tensor in try SafetensorsReader(path: path).tensors {
                    _ = tensor.bytes.withUnsafeBytes { $0.reduce(0 as UInt8, ^) }
                }
            }
            errors += error == nil ? 0 : 1
        }
        // Only a changed letter of a name goes unnoticed.
        #expect(errors > 1500)
    }

    @Test func aHeaderLongerThanTheFileIsNamed() throws {
        let error = try #require(try refusal(file("{}", length: 5000)))
        #expect(
            error.message
                == "the header needs bytes 8..5008 but the file ends at 10; the file is truncated, fetch it again")
        for length in [UInt64.max, 1 << 63, 100_000_001] {
            #expect(try refusal(file("{}", length: length))?.message.contains("over the format's limit") == true)
        }
    }

    @Test(arguments: [
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            "tensor b", "begins at 4, inside the tensor before it"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
            "tensor b", "holes are not allowed"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "tensor a", "holes are not allowed"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "byte 70", "4 bytes follow the last tensor"),
        (#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, "tensor a", "truncated"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "tensor a", "takes 12 bytes"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[12,0]}}"#, "tensor a", "a beginning and an end"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[-12,0]}}"#, "tensor a", "a beginning and an end"),
        (#"{"a":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]}}"#, "tensor a", "lengths"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, "tensor a", "lengths"),
        (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}"#, "tensor a", "lengths"),
        (#"{"a":{"dtype":"F32","shape":[3]}}"#, "tensor a", "must have dtype, shape and data_offsets"),
        (#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, "tensor a", "has dtype F64"),
        (#"{"a":[]}"#, "tensor a", "must have dtype"),
        (#"{"__metadata__":{"a":1}}"#, "__metadata__", "object of strings"),
        (#"{"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]},"a":1}"#, "byte 66", "occurs twice"),
        (#" {}"#, "byte 8", "does not begin with a brace"),
        (#"[]"#, "byte 8", "does not begin with a brace"),
        (#"{"#, "byte 9", "a key in quotes is expected"),
    ])
    func liesAreRefused(header: String, place: String, words: String) throws {
        let error = try #require(try refusal(file(header, data: 12)))
        #expect(error.place == place && error.message.contains(words), "\(error)")
    }

    @Test func emptyTensorsAndScalarsAreSound() throws {
        let directory = try TemporaryDirectory()
        let header =
            #"{"n":{"dtype":"F16","shape":[0,4],"data_offsets":[4,4]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   "#
        let path = try directory.write("model.safetensors", file(header, data: 4))
        let reader = try SafetensorsReader(path: path)
        #expect(reader.tensors.map(\.name) == ["s", "n"])
        #expect(reader.tensors.map(\.bytes.count) == [4, 0])
    }
}
