import Compute
import ModelFiles
import Testing

@Suite struct SafetensorsWriterTests {
    private typealias Description = SafetensorsWriter.Description

    /// The header's text, written out by hand from the format's description.
    @Test func theHeaderIsTheFormatsAndDataBeginsAtAMultipleOf64() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/model.safetensors"
        let tensors = [
            Description(name: "a", type: .u8, shape: [64, 2], isAligned: true),
            Description(name: "b \"\\\n\u{e9}", type: .f16, shape: [], isAligned: true),
            Description(name: "c", type: .bf16, shape: [0]),
        ]
        var writer = try SafetensorsWriter(path: path, metadata: [("k", "v"), ("j", "1")], tensors: tensors)
        try writer.append([UInt8](repeating: 1, count: 100))
        try writer.append([UInt8](repeating: 2, count: 28))
        try writer.append([3, 4])
        try writer.finish()
        let bytes = try ModelFixtures.bytes(path)
        let text =
            #"{"__metadata__":{"k":"v","j":"1"},"a":{"dtype":"U8","shape":[64,2],"data_offsets":[0,128]},"#
            + #""b \"\\\n\#u{e9}":{"dtype":"F16","shape":[],"data_offsets":[128,130]},"#
            + #""c":{"dtype":"BF16","shape":[0],"data_offsets":[130,130]}}"#
        let header = Array(text.utf8) + [UInt8](repeating: 32, count: (64 - (8 + text.utf8.count) % 64) % 64)
        #expect((8 + header.count) % 64 == 0)
        #expect(Array(bytes[..<8]) == [UInt8(header.count & 255), UInt8(header.count >> 8), 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[8..<8 + header.count]) == header)
        #expect(
            Array(bytes[(8 + header.count)...])
                == [UInt8](repeating: 1, count: 100) + [UInt8](repeating: 2, count: 28) + [3, 4])
    }

    @Test func randomFilesRoundTripAndTheirSizeWasKnown() throws {
        let directory = try TemporaryDirectory()
        var random = SeededGenerator(seed: 12)
        for index in 0..<30 {
            let path = directory.path + "/\(index).safetensors"
            let tensors = (0..<Int.random(in: 0...8, using: &random)).map { tensor in
                Description(
                    name: "t\(tensor)", type: SafetensorsType.allCases.randomElement(using: &random) ?? .u8,
                    shape: (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 0...5, using: &random)
                    })
            }
            let metadata = index % 2 == 0 ? [] : [(key: "seed", value: "\(index)")]
            let contents = tensors.map { tensor in
                (0..<tensor.shape.reduce(tensor.type.width, *)).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            var writer = try SafetensorsWriter(path: path, metadata: metadata, tensors: tensors)
            for content in contents { try writer.append(content) }
            try writer.finish()
            #expect(
                try ModelFixtures.bytes(path).count == SafetensorsWriter.size(metadata: metadata, tensors: tensors))
            let reader = try SafetensorsReader(path: path)
            #expect(reader.metadata.map(\.value) == metadata.map(\.value))
            // The reader orders tensors by their bytes; tensors without any may change places with a neighbour.
            for (tensor, content) in zip(tensors, contents) {
                let read = try #require(reader.tensors.first { $0.name == tensor.name })
                #expect(read.type == tensor.type && read.shape == tensor.shape)
                #expect(read.bytes.withUnsafeBytes { Array($0) } == content)
            }
        }
    }

    @Test func misuseIsRefusedAndLeavesNothing() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/model.safetensors"
        func refusal(_ tensors: [Description], pieces: [Int] = []) -> ModelError? {
            modelError {
                var writer = try SafetensorsWriter(path: path, tensors: tensors)
                for piece in pieces { try writer.append([UInt8](repeating: 0, count: piece)) }
                try writer.finish()
            }
        }
        let odd = Description(name: "odd", type: .u8, shape: [63])
        let aligned = Description(name: "aligned", type: .u8, shape: [64], isAligned: true)
        #expect(refusal([odd, aligned])?.place == "tensor aligned")
        #expect(refusal([odd, odd])?.place == "tensor odd")
        #expect(refusal([Description(name: "__metadata__", type: .u8, shape: [1])])?.code == .malformed)
        #expect(refusal([Description(name: "a", type: .f32, shape: [1 << 62])])?.place == "tensor a")
        #expect(refusal([aligned, odd], pieces: [64])?.place == "tensor odd")
        #expect(refusal([odd], pieces: [64])?.place == "tensor odd")
        #expect(directory.contents == [])
        #expect(refusal([aligned, odd], pieces: [64, 63]) == nil)
    }
}
