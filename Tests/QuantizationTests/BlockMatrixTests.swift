import Compute
import Foundation
import ModelFiles
import Quantization
import Testing

/// Blocks as bytes, held against gguf-py's own blocks (Tests/Fixtures/scripts/block_decode.py).
struct BlockMatrixTests {
    /// Random blocks of every type that gguf-py has, as one row.
    private func randomBlocks(_ format: BlockFormat) throws -> BlockMatrix {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let bytes = try Data(contentsOf: tests.appending(path: "Fixtures/blocks/decode/\(format.rawValue).bytes"))
        let columns = bytes.count / format.blockBytes * format.blockLength
        return try BlockMatrix(format: format, rows: 1, columns: columns, bytes: [UInt8](bytes))
    }

    @Test(arguments: BlockFormat.allCases)
    func decompositionDecodesToTheSameBits(format: BlockFormat) throws {
        let blocks = try randomBlocks(format)
        let decomposed = blocks.decomposed()
        try decomposed.validate()
        #expect(decomposed.group == format.group)
        #expect(decomposed.format == .block(format))
        let (values, expected) = (decomposed.dequantized().values, blocks.dequantized().values)
        // 0 - 0 is 0 and -0 + 0 is 0: only the sign of zero may differ.
        let firstDifference = values.indices.first { values[$0] != expected[$0] }
        #expect(firstDifference == nil)
    }

    @Test(arguments: BlockFormat.allCases)
    func shapesAreChecked(format: BlockFormat) throws {
        #expect(format.isLegal(columns: 2 * format.blockLength))
        #expect(!format.isLegal(columns: format.blockLength / 2))
        #expect(!format.isLegal(columns: 0))
        #expect(throws: QuantizationError.self) {
            try BlockMatrix(format: format, rows: 1, columns: format.blockLength + 1, bytes: [])
        }
        #expect(throws: QuantizationError.self) {
            try BlockMatrix(format: format, rows: 2, columns: format.blockLength, bytes: [0])
        }
        #expect(throws: QuantizationError.self) {
            try BlockMatrix(format: format, rows: .max, columns: format.blockLength, bytes: [])
        }
    }

    @Test func bitsPerWeightAreThoseOfLlamaCpp() {
        let expected: [BlockFormat: Double] = [
            .q8_0: 8.5, .q4_0: 4.5, .q4_1: 5, .q5_0: 5.5, .q5_1: 6, .iq4_nl: 4.5, .q4_k: 4.5, .q5_k: 5.5, .q6_k: 6.5625,
            .q3_k: 3.4375, .q2_k: 2.625,
        ]
        for format in BlockFormat.allCases { #expect(format.bitsPerWeight == expected[format]) }
    }
}
