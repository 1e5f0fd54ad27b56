import Foundation
import ModelFiles
import Testing

/// Decoding held against gguf-py (Tests/Fixtures/scripts/block_decode.py), bit for bit.
struct BlockDecodeTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/blocks/decode")

    @Test(arguments: TensorType.allCases)
    func everyTypeDecodesAsInGGUFPy(type: TensorType) throws {
        let bytes = try Data(contentsOf: Self.fixtures.appending(path: "\(type.name).bytes"))
        let floats = try Data(contentsOf: Self.fixtures.appending(path: "\(type.name).floats"))
        let columns = floats.count / 4
        #expect(columns >= 64)
        #expect(type.bytes(columns: columns) == bytes.count)
        let expected = (0..<columns).map { index in
            floats.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self) }
        }
        let values = decode(bytes, as: type, columns: columns)
        let firstDifference = (0..<columns).first { values[$0].bitPattern != expected[$0] }
        #expect(firstDifference == nil)
    }

    @Test func decodingDoesNotNeedAlignedBytes() throws {
        for type in TensorType.allCases {
            let bytes = try Data(contentsOf: Self.fixtures.appending(path: "\(type.name).bytes"))
            let columns = bytes.count / type.blockBytes * type.blockLength
            let shifted = Data([0]) + bytes
            let values = decode(shifted, skipping: 1, as: type, columns: columns)
            let expected = decode(bytes, as: type, columns: columns)
            let firstDifference = (0..<columns).first { values[$0].bitPattern != expected[$0].bitPattern }
            #expect(firstDifference == nil)
        }
    }

    @Test func everyHalfPrecisionNumberIsExact() {
        var bytes = Data()
        for pattern in 0...UInt16.max { bytes.append(contentsOf: [UInt8(pattern & 255), UInt8(pattern >> 8)]) }
        let values = decode(bytes, as: .f16, columns: 65536)
        for pattern in 0...UInt16.max {
            let expected = Float(Float16(bitPattern: pattern))
            let value = values[Int(pattern)]
            #expect(value.bitPattern == expected.bitPattern || (value.isNaN && expected.isNaN))
        }
    }

    @Test func everyBrainFloatIsTheUpperHalfOfAFloat() {
        var bytes = Data()
        for pattern in 0...UInt16.max { bytes.append(contentsOf: [UInt8(pattern & 255), UInt8(pattern >> 8)]) }
        let values = decode(bytes, as: .bf16, columns: 65536)
        #expect(values.indices.allSatisfy { values[$0].bitPattern == UInt32($0) << 16 })
    }

    private func decode(_ bytes: Data, skipping: Int = 0, as type: TensorType, columns: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: columns) { target, count in
            bytes.withUnsafeBytes { type.decode(UnsafeRawBufferPointer(rebasing: $0[skipping...]), into: target) }
            count = columns
        }
    }
}
