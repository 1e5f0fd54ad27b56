import Compute
import Quantization
import Testing

/// The same bytes at any thread count and on any instruction set, and an answer or an error for any input.
struct BlockDeterminismTests {
    @Test(arguments: BlockFormat.allCases)
    func bytesDependOnNeitherThreadsNorInstructionSet(format: BlockFormat) throws {
        let weights = Matrix.random(rows: 70, columns: 768, seed: 6)
        let importance = BlockSamples.importance(columns: 768, seed: 7)
        let expected = try BlockQuantizer.quantize(
            weights, as: format, importance: importance, pool: ThreadPool(threads: 1, instructionSet: .scalar))
        for set in InstructionSet.allCases where set.isSupported {
            for threads in 1...2 {
                let pool = ThreadPool(threads: threads, instructionSet: set)
                let result = try BlockQuantizer.quantize(weights, as: format, importance: importance, pool: pool)
                let isEqual = result.bytes == expected.bytes
                #expect(isEqual, "\(set), \(threads) threads")
            }
        }
    }

    /// A row is quantized alike whatever stands beside it: tiles that it shares with other rows change nothing.
    @Test(arguments: BlockFormat.allCases)
    func rowsDoNotDependOnEachOther(format: BlockFormat) throws {
        let pool = ThreadPool(threads: 1)
        let weights = Matrix.random(rows: 3, columns: 768, seed: 8)
        let importance = BlockSamples.importance(columns: 768, seed: 9)
        let whole = try BlockQuantizer.quantize(weights, as: format, importance: importance, pool: pool)
        for row in 0..<3 {
            let alone = Matrix(rows: 1, columns: 768, values: [Float](weights[row: row]))
            let result = try BlockQuantizer.quantize(alone, as: format, importance: importance, pool: pool)
            let stride = result.bytes.count
            let isEqual = result.bytes[...] == whole.bytes[row * stride..<(row + 1) * stride]
            #expect(isEqual, "row \(row)")
        }
    }

    @Test(arguments: BlockFormat.allCases)
    func extremesAreSurvived(format: BlockFormat) throws {
        let pool = ThreadPool(threads: 1)
        let zeros = Matrix(rows: 1, columns: 512)
        let constant = Matrix(rows: 1, columns: 512, values: [Float](repeating: -0.25, count: 512))
        let tiny = Matrix(rows: 1, columns: 512, values: (0..<512).map { Float($0 - 256) * 1e-9 })
        let denormal = Matrix(rows: 1, columns: 512, values: (0..<512).map { Float($0 - 256) * 0x1p-140 })
        let largest = Matrix(rows: 1, columns: 512, values: (0..<512).map { $0 % 3 == 0 ? 65504 : -65504 })
        for weights in [zeros, constant, tiny, denormal, largest] {
            for importance in [nil, [Float](repeating: 0, count: 512), (0..<512).map { $0 < 256 ? 0 : 1e30 }] {
                let result = try BlockQuantizer.quantize(weights, as: format, importance: importance, pool: pool)
                let decoded = result.dequantized().values
                let size = weights.values.map(abs).max() ?? 0
                // Half a step of the coarsest grid (q2_k: four codes over twice the size) or half precision's own
                // spacing.
                let allowed = size * 0.36 + 0x1p-24
                let worst = zip(decoded, weights.values).map { abs($0 - $1) }.max() ?? 0
                #expect(worst <= allowed, "size \(size)")
            }
        }
        let zero = try BlockQuantizer.quantize(zeros, as: format, pool: pool).dequantized()
        #expect(zero.values.allSatisfy { $0 == 0 })
    }

    @Test func unusableInputIsRefused() throws {
        let pool = ThreadPool(threads: 1)
        let weights = Matrix.random(rows: 1, columns: 64, seed: 10)
        for bad in [Float.nan, .infinity, -.infinity] {
            var broken = weights
            broken.values[37] = bad
            #expect(throws: QuantizationError.self) {
                try BlockQuantizer.quantize(broken, as: .q4_0, pool: pool)
            }
        }
        for importance in [[1], [Float](repeating: -1, count: 64), [Float](repeating: .nan, count: 64)] {
            #expect(throws: QuantizationError.self) {
                try BlockQuantizer.quantize(weights, as: .q4_0, importance: importance, pool: pool)
            }
        }
        #expect(throws: QuantizationError.self) { try BlockQuantizer.quantize(weights, as: .q4_k, pool: pool) }
    }
}
