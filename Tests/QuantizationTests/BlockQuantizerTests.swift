import Compute
import Quantization
import Testing

/// The search for scales: against plain rounding by gguf-py, on grids that it must recover, and on hostile input.
struct BlockQuantizerTests {
    private let pool = ThreadPool(threads: 1)

    @Test(arguments: [BlockFormat.q8_0, .q4_0, .q4_1, .q5_0, .q5_1])
    func errorIsBelowThatOfPlainRounding(format: BlockFormat) throws {
        let weights = try BlockSamples.fixture("weights", columns: 512)
        let importance = try BlockSamples.fixture("importance", columns: 512).values
        let rounded = try BlockMatrix(
            format: format, rows: weights.rows, columns: weights.columns,
            bytes: [UInt8](BlockSamples.data("\(format.rawValue).bytes")))
        for weighing in [importance, [Float](repeating: 1, count: 512)] {
            let fitted = try BlockQuantizer.quantize(weights, as: format, importance: weighing, pool: pool)
            // Block by block: no block may be worse than gguf-py's.
            for first in stride(from: 0, to: weights.values.count, by: 32) {
                let block = { (matrix: Matrix) in
                    Matrix(rows: 1, columns: 32, values: [Float](matrix.values[first..<first + 32]))
                }
                let columns = [Float](weighing[first % 512..<first % 512 + 32])
                let (plain, ours) = (block(rounded.dequantized()), block(fitted.dequantized()))
                let limit = BlockSamples.error(block(weights), plain, importance: columns)
                #expect(BlockSamples.error(block(weights), ours, importance: columns) <= limit)
            }
        }
    }

    @Test(arguments: BlockFormat.allCases)
    func importanceMovesTheErrorToWhereItCostsLess(format: BlockFormat) throws {
        let weights = Matrix.random(rows: 8, columns: 512, seed: 1)
        let importance = BlockSamples.importance(columns: 512, seed: 2)
        let weighted = try BlockQuantizer.quantize(weights, as: format, importance: importance, pool: pool)
        let plain = try BlockQuantizer.quantize(weights, as: format, pool: pool)
        let alike = [Float](repeating: 1, count: 512)
        let error = { (blocks: BlockMatrix, importance: [Float]) in
            BlockSamples.error(weights, blocks.dequantized(), importance: importance)
        }
        #expect(error(weighted, importance) < error(plain, importance))
        #expect(error(plain, alike) < error(weighted, alike))
    }

    /// One more bit halves the spacing of the grid: the error should fall to about a quarter. Half is asked for,
    /// because the types differ in their scales' precision too.
    @Test func errorFallsWithBits() throws {
        let weights = Matrix.random(rows: 16, columns: 512, seed: 3)
        let error = { (format: BlockFormat) in
            let fitted = try BlockQuantizer.quantize(weights, as: format, pool: pool)
            return BlockSamples.error(weights, fitted.dequantized(), importance: [Float](repeating: 1, count: 512))
        }
        for ladder in [[BlockFormat.q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .q8_0], [.q4_0, .q5_0, .q8_0], [.q4_1, .q5_1]] {
            for (fewer, more) in zip(ladder, ladder.dropFirst()) { #expect(try error(more) < 0.5 * error(fewer)) }
        }
        // A scale and a minimum do better than a scale alone.
        #expect(try error(.q4_1) < error(.q4_0))
        #expect(try error(.iq4_nl) < error(.q4_0))
    }

    /// Weights exactly on a grid of random codes and half-precision parameters, as a GGUF file holds that is quantized
    /// already: what is written decodes to the same numbers.
    @Test(arguments: [BlockFormat.q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl])
    func weightsOnAGridAreKept(format: BlockFormat) throws {
        var generator = SeededGenerator(seed: 4)
        var bytes: [UInt8] = []
        for _ in 0..<64 * 16 {
            var block = (0..<format.blockBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // llama.cpp never writes -128, and neither does Fettle.
            if format == .q8_0 { for index in 2..<34 where block[index] == 0x80 { block[index] = 0x81 } }
            let scale =
                Float16(0.001 + 0.05 * generator.unit()) * (format.hasMinimums || generator.unit() < 0.5 ? 1 : -1)
            let minimum = Float16(-0.5 * generator.unit())
            (block[0], block[1]) = (UInt8(scale.bitPattern & 255), UInt8(scale.bitPattern >> 8))
            if format.hasMinimums {
                (block[2], block[3]) = (UInt8(minimum.bitPattern & 255), UInt8(minimum.bitPattern >> 8))
            }
            bytes += block
        }
        let weights = try BlockMatrix(format: format, rows: 64, columns: 512, bytes: bytes).dequantized()
        let importance = BlockSamples.importance(columns: 512, seed: 5)
        let kept = try BlockQuantizer.quantize(weights, as: format, importance: importance, pool: pool).dequantized()
        let changed = kept.values.indices.count { kept.values[$0] != weights.values[$0] }
        #expect(changed == 0)
    }
}
