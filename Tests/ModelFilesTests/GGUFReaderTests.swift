import Compute
import ModelFiles
import Testing

@Suite struct GGUFReaderTests {
    /// types.gguf is gguf-py's; the values are those that model_files.py asked it to write.
    @Test func readsEveryMetadataTypeThatGGUFPyWrites() throws {
        let entries = try GGUFReader(path: ModelFixtures.types).entries
        let expected: [(String, GGUFValue)] = [
            ("general.architecture", .string("llama")), ("a.uint8", .uint8(200)), ("a.int8", .int8(-100)),
            ("a.uint16", .uint16(60000)), ("a.int16", .int16(-30000)), ("a.uint32", .uint32(4_000_000_000)),
            ("a.int32", .int32(-2_000_000_000)), ("a.float32", .float32(0.1)), ("a.bool", .bool(true)),
            ("a.string", .string("caf\u{e9} \u{1F600}")), ("a.uint64", .uint64(1 << 63 + 5)),
            ("a.int64", .int64(-(1 << 62))), ("a.float64", .float64(0.1)),
            ("a.strings", .strings(["x", "", "\u{120}the"])),
            ("a.integers", .array(elementType: 5, [.int32(1), .int32(-2), .int32(3)])),
            ("a.floats", .array(elementType: 6, [.float32(0.5), .float32(-0.25)])),
            ("a.bools", .array(elementType: 7, [.bool(true), .bool(false)])),
            (
                "a.nested",
                .array(
                    elementType: 9,
                    [
                        .array(elementType: 5, [.int32(1), .int32(2)]), .array(elementType: 5, [.int32(3)]),
                    ])
            ),
        ]
        #expect(entries == expected.map { GGUFEntry(key: $0.0, value: $0.1) })
    }

    @Test func readsTensorsThatGGUFPyWrites() throws {
        let reader = try GGUFReader(path: ModelFixtures.types)
        #expect(reader.version == 3)
        #expect(reader.tensors.map(\.name) == ["f32", "f16", "q8_0", "last"])
        #expect(reader.tensors.map(\.type) == [.f32, .f16, .q8_0, .f32])
        #expect(reader.tensors.map(\.dimensions) == [[4, 3, 2], [2, 5], [64, 1], [8]])
        #expect(reader.tensors.map(\.bytes.count) == [96, 20, 68, 32])
        for tensor in [reader.tensors[0], reader.tensors[1], reader.tensors[3]] {
            let count = tensor.dimensions.reduce(1, *)
            var values = [Float](repeating: .nan, count: count)
            values.withUnsafeMutableBufferPointer { target in
                tensor.bytes.withUnsafeBytes { tensor.type.decode($0, into: target) }
            }
            #expect(values == (0..<count).map { Float($0) / 4 - 3 })
        }
    }

    @Test func aFileCutAnywhereIsAnError() throws {
        let directory = try TemporaryDirectory()
        let whole = try ModelFixtures.bytes(ModelFixtures.types)
        for count in 0..<whole.count {
            let path = try directory.write("cut.gguf", Array(whole[..<count]))
            let error = modelError { _ = try GGUFReader(path: path) }
            #expect(error?.code == .malformed && error?.file == path, "cut at \(count)")
        }
    }

    @Test func aCutTensorIsNamedWithWhatItNeeds() throws {
        let directory = try TemporaryDirectory()
        var file = GGUFBytes(tensors: 1, entries: 0)
        file.tensor("blk.3.attn_q.weight", [16, 4])
        file.data(100)
        let start = file.bytes.count - 100
        let path = try directory.write("model.gguf", file.bytes)
        let error = modelError { _ = try GGUFReader(path: path) }
        #expect(
            error?.description
                == "\(path): tensor blk.3.attn_q.weight: needs bytes \(start)..\(start + 256) but the file "
                + "ends at \(start + 100); the file is truncated, fetch it again")
    }

    /// Thousands of damaged files: each is an error or a file whose tensors can be read, never a crash.
    @Test func damagedFilesNeverCrash() throws {
        let directory = try TemporaryDirectory()
        let whole = try ModelFixtures.bytes(ModelFixtures.types)
        var generator = SeededGenerator(seed: 3)
        var errors = 0
        for _ in 0..<4000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(
                    in: 1...255, using: &generator)
            }
            let path = try directory.write("damaged.gguf", bytes)
            let error = modelError {
                for tensor in try GGUFReader(path: path).tensors {
                    _ = tensor.bytes.withUnsafeBytes { $0.reduce(0 as UInt8, ^) }
                }
            }
            errors += error == nil ? 0 : 1
        }
        // Most of the file is header: most damage shows.
        #expect(errors > 1000)
    }

    @Test func readsVersion2AndAlignment64() throws {
        let directory = try TemporaryDirectory()
        var file = GGUFBytes(version: 2, tensors: 2, entries: 1)
        file.add("general.alignment")
        file.add(UInt32(4))
        file.add(UInt32(64))
        file.tensor("a", [1])
        file.tensor("b", [2, 1], offset: 64)
        file.bytes += [UInt8](repeating: 0, count: (64 - file.bytes.count % 64) % 64)
        let start = file.bytes.count
        file.bytes += [UInt8](repeating: 0, count: 64) + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]
        let reader = try GGUFReader(path: try directory.write("model.gguf", file.bytes))
        #expect(reader.version == 2)
        #expect(reader.tensors.map(\.offset) == [start, start + 64])
        #expect(reader.tensors[1].bytes.withUnsafeBytes { Array($0) } == [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
    }

    @Test func missingFilesAndDirectoriesAreUnreadable() throws {
        let directory = try TemporaryDirectory()
        #expect(modelError { _ = try GGUFReader(path: directory.path + "/none.gguf") }?.code == .unreadable)
        #expect(modelError { _ = try GGUFReader(path: directory.path) }?.code == .unreadable)
        #expect(modelError { _ = try GGUFReader(path: "/dev/null") }?.code == .unreadable)
        let empty = try directory.write("empty.gguf", [])
        #expect(modelError { _ = try GGUFReader(path: empty) }?.description == "\(empty): is empty; fetch it again")
    }
}
