import Compute
import Foundation
import ModelFiles
import Testing

@Suite struct GGUFWriterTests {
    /// gguf-py's GGUFWriter wrote the originals; ours must write the same bytes for what we read from them.
    @Test(arguments: [ModelFixtures.types, ModelFixtures.tinyGGUF])
    func writesTheBytesOfGGUFPy(path: String) throws {
        let directory = try TemporaryDirectory()
        let reader = try GGUFReader(path: path)
        let copy = directory.path + "/copy.gguf"
        let tensors = reader.tensors.map { ($0.name, $0.type, $0.dimensions) }
        var writer = try GGUFWriter(path: copy, entries: reader.entries, tensors: tensors)
        for tensor in reader.tensors {
            // In pieces of 7 bytes.
            let bytes = tensor.bytes.withUnsafeBytes { Array($0) }
            for start in stride(from: 0, to: bytes.count, by: 7) {
                try writer.append(Array(bytes[start..<min(start + 7, bytes.count)]))
            }
        }
        try writer.finish()
        let original = try ModelFixtures.bytes(path)
        #expect(try ModelFixtures.bytes(copy) == original)
        #expect(GGUFWriter.size(entries: reader.entries, tensors: tensors) == original.count)
        #expect(directory.contents == ["copy.gguf"])
    }

    /// Random metadata and tensors: what is written is read back, and its size was known.
    @Test func randomFilesRoundTrip() throws {
        let directory = try TemporaryDirectory()
        var random = SeededGenerator(seed: 11)
        for index in 0..<30 {
            let path = directory.path + "/\(index).gguf"
            var entries = (0..<Int.random(in: 0...12, using: &random)).map { key in
                GGUFEntry(key: "key.\(key)", value: Self.value(depth: 0, &random))
            }
            if Bool.random(using: &random) {
                let alignment = UInt32(1) << UInt32.random(in: 0...8, using: &random)
                entries.append(GGUFEntry(key: "general.alignment", value: .uint32(alignment)))
            }
            let tensors = (0..<Int.random(in: 0...6, using: &random)).map { tensor -> GGUFWriter.Description in
                let type = TensorType.allCases.randomElement(using: &random) ?? .f32
                let rest = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 1...3, using: &random)
                }
                return ("t\(tensor)", type, [type.blockLength * Int.random(in: 1...3, using: &random)] + rest)
            }
            let contents = tensors.map { tensor in
                let rows = tensor.dimensions.dropFirst().reduce(1, *)
                return (0..<tensor.type.bytes(columns: tensor.dimensions[0]) * rows).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            var writer = try GGUFWriter(path: path, entries: entries, tensors: tensors)
            for content in contents { try writer.append(content) }
            try writer.finish()

            #expect(try ModelFixtures.bytes(path).count == GGUFWriter.size(entries: entries, tensors: tensors))
            let reader = try GGUFReader(path: path)
            #expect(reader.entries == entries)
            #expect(reader.tensors.map(\.name) == tensors.map(\.name))
            #expect(reader.tensors.map(\.type) == tensors.map(\.type))
            #expect(reader.tensors.map(\.dimensions) == tensors.map(\.dimensions))
            #expect(reader.tensors.map { $0.bytes.withUnsafeBytes { Array($0) } } == contents)
        }
    }

    @Test func bytesThatDoNotFitTheirTensorAreRefusedAndNothingIsLeft() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/model.gguf"
        func written(_ pieces: [Int]) -> ModelError? {
            modelError {
                var writer = try GGUFWriter(path: path, entries: [], tensors: [("a", .f32, [4]), ("b", .f32, [2])])
                for piece in pieces { try writer.append([UInt8](repeating: 1, count: piece)) }
                try writer.finish()
            }
        }
        #expect(written([16, 4])?.place == "tensor b")
        #expect(written([17])?.place == "tensor a")
        #expect(written([16, 8, 1])?.place == "tensor after the last")
        #expect(directory.contents == [])
        #expect(written([8, 8, 8]) == nil)
        #expect(directory.contents == ["model.gguf"])
    }

    @Test func impossibleTensorsAreRefused() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/model.gguf"
        for tensors in [
            [("a", .q4_0, [33])], [("a", .f32, [])], [("a", .f32, [0])], [("a", .f32, [1]), ("a", .f32, [1])],
            [("a", .f32, [1 << 40, 1 << 40])],
        ] as [[GGUFWriter.Description]] {
            let error = modelError { _ = try GGUFWriter(path: path, entries: [], tensors: tensors) }
            #expect(error?.code == .malformed && error?.place == "tensor a")
        }
        #expect(directory.contents == [])
    }
}

extension GGUFWriterTests {
    private static func value(depth: Int, _ random: inout SeededGenerator) -> GGUFValue {
        value(type: UInt32.random(in: 0...(depth < 2 ? 12 : 8), using: &random), depth: depth, &random)
    }

    private static func value(type: UInt32, depth: Int, _ random: inout SeededGenerator) -> GGUFValue {
        let bits = random.next()
        switch type {
        case 0: return .uint8(UInt8(truncatingIfNeeded: bits))
        case 1: return .int8(Int8(truncatingIfNeeded: bits))
        case 2: return .uint16(UInt16(truncatingIfNeeded: bits))
        case 3: return .int16(Int16(truncatingIfNeeded: bits))
        case 4: return .uint32(UInt32(truncatingIfNeeded: bits))
        case 5: return .int32(Int32(truncatingIfNeeded: bits))
        case 6: return .float32(Float(Int32(truncatingIfNeeded: bits)))
        case 7: return .bool(bits & 1 == 1)
        case 8: return .string(String(repeating: "\u{e9}x", count: Int(bits % 20)))
        case 9:
            let inner = UInt32.random(in: 0...(depth < 2 ? 12 : 8), using: &random)
            let elements = (0..<bits % 5).map { _ in value(type: inner, depth: depth + 1, &random) }
            return .array(elementType: inner, elements)
        case 10: return .uint64(bits)
        case 11: return .int64(Int64(bitPattern: bits))
        default: return .float64(Double(Int64(bitPattern: bits)))
        }
    }
}
