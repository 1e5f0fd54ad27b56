import Compute
import Foundation
import Quantization
import Testing

/// Codebooks fitted for coded indices: the bytes are kept, and what the rate term is worth.
@Suite struct SharedFitTests {
    private let pool = ThreadPool(threads: 2)

    private func quantized(_ name: String, _ weights: Matrix, importance: [Float]? = nil) throws -> QuantizedMatrix {
        try GridQuantizer.quantize(
            weights, as: GridQuantizer.grid(name), importance: importance, clip: true, pool: pool)
    }

    private func entropy(_ codes: [UInt8]) -> Double {
        let total = Double(codes.count)
        return Dictionary(grouping: codes) { $0 }.values.reduce(0) {
            $0 - Double($1.count) / total * log2(Double($1.count) / total)
        }
    }

    @Test(
        arguments: ["k4te36", "k5ce36", "k5g64e40", "k8te20", "k3ce10", "k6g64e30"],
        [Distribution.normal, .heavyTailed])
    func bytesAreThoseThatTheFormatSays(name: String, distribution: Distribution) throws {
        for (rows, columns) in [(1, 64), (17, 64), (192, 576)] {
            let weights = Matrix.random(rows: rows, columns: columns, distribution, seed: 71)
            let matrix = try quantized(name, weights)
            let packed = try PackedMatrix(packing: matrix, pool: pool)
            let coded = try packed.coded()
            #expect(coded.count == matrix.format.storedBytes(rows: rows, columns: columns))
            #expect(try Self.decoded(coded, of: packed) == packed.bytes.withUnsafeBytes { [UInt8]($0) })
            guard rows == 192, case .grid(let grid) = matrix.format, let rate = grid.indexRate else { continue }
            // Nearly all of the bytes are used, unless the plain indices need fewer.
            let plain = try entropy(quantized(grid.resident.description, weights).codes)
            #expect(entropy(matrix.codes) <= Double(rate) / 10)
            #expect(entropy(matrix.codes) > 0.97 * min(Double(rate) / 10, plain))
        }
    }

    @Test func atTheSameBytesCodedIndicesLeaveLessError() throws {
        for distribution in [Distribution.normal, .heavyTailed] {
            let weights = Matrix.random(rows: 192, columns: 576, distribution, seed: 72)
            for granularity in ["t", "c"] {
                // Rows with scales of their own count alike, each in the measure of its weights.
                let rows = (0..<192).map { row in
                    granularity == "t" ? 1 : 1 / weights[row: row].reduce(Float(0)) { $0 + $1 * $1 }
                }
                let packed = try quantized("k4\(granularity)", weights).error(of: weights, rowImportance: rows)
                // High-resolution theory has a gain of 0.1 bit or more (Gaussian, 16 levels), a part in seven of the error.
                let same = try quantized("k5\(granularity)e40", weights).error(of: weights, rowImportance: rows)
                #expect(same < 0.8 * packed, "\(same / packed)")
                let fewer = try quantized("k5\(granularity)e36", weights).error(of: weights, rowImportance: rows)
                #expect(fewer < 1.25 * packed, "\(fewer / packed)")
                // A rate term that does nothing would need the entropy of the plain codes.
                #expect(try entropy(quantized("k5\(granularity)", weights).codes) > 4.2 || distribution == .heavyTailed)
            }
        }
    }

    /// Of a normal density's energy, the 16 best levels leave 0.009497 (Max, 1960), and an entropy of 3.6 bits, with levels enough,
    /// pi e / 6 * 2^-7.2 = 0.00968 (Gish and Pierce, 1968, at a high rate): 2 % more.
    @Test(arguments: ["k5ce36", "k6ce36"])
    func codedIndicesOfNormalRowsComeNearTheory(name: String) throws {
        let weights = Matrix.random(rows: 192, columns: 576, seed: 76)
        let rows = (0..<192).map { row in 1 / weights[row: row].reduce(Float(0)) { $0 + $1 * $1 } }
        let left = try quantized(name, weights).error(of: weights, rowImportance: rows) / 192
        #expect(left < 1.05 * 0.009497, "\(left)")
    }

    /// The bytes are met whatever the distribution of the rows is, and no row pays for the others with all that it holds.
    @Test(arguments: ["k4ce36", "k5ce36", "k6ce36", "k8ce36", "k4ce30"])
    func noRowIsLost(name: String) throws {
        var weights = Matrix.random(rows: 128, columns: 576, .heavyTailed, seed: 77)
        for row in 0..<128 {
            // Rows of very different size, some of them with an outlier.
            let factor: Float = row % 5 == 0 ? 16 : row % 7 == 0 ? 0.1 : 1
            for column in 0..<576 { weights.values[row * 576 + column] *= factor }
            if row % 9 == 0 { weights.values[row * 576 + 3 * row] = factor }
        }
        var generator = SeededGenerator(seed: 78)
        let importance = generator.importance(576)
        let own = try quantized(name, weights, importance: importance).dequantized().values
        for row in 0..<128 {
            let places = row * 576..<(row + 1) * 576
            func energy(_ value: (Int) -> Float) -> Float {
                places.reduce(0) { $0 + importance[$1 % 576] * value($1) * value($1) }
            }
            let share = energy { weights.values[$0] - own[$0] } / energy { weights.values[$0] }
            #expect(share < 0.15, "row \(row): \(share)")
        }
    }

    @Test(arguments: ["k4te36", "k5ce36", "k6g64e30"])
    func codesDependOnNeitherThreadsNorInstructionSet(name: String) throws {
        let weights = Matrix.random(rows: 70, columns: 256, .heavyTailed, seed: 79)
        var generator = SeededGenerator(seed: 80)
        let importance = generator.importance(256)
        func result(_ pool: ThreadPool) throws -> QuantizedMatrix {
            try GridQuantizer.quantize(
                weights, as: GridQuantizer.grid(name), importance: importance, clip: true, pool: pool)
        }
        let expected = try result(ThreadPool(threads: 1, instructionSet: .scalar))
        for set in InstructionSet.allCases where set.isSupported {
            for threads in 1...3 {
                let isEqual = try result(ThreadPool(threads: threads, instructionSet: set)) == expected
                #expect(isEqual, "\(set), \(threads) threads")
            }
        }
    }

    @Test func whatMattersLessTakesShorterCodes() throws {
        let weights = Matrix.random(rows: 64, columns: 256, seed: 73)
        let importance = (0..<256).map { Float($0 < 128 ? 1 : 16) }
        let matrix = try quantized("k5te30", weights, importance: importance)
        func half(_ columns: Range<Int>) -> [UInt8] {
            (0..<64).flatMap { matrix.codes[$0 * 256 + columns.lowerBound..<$0 * 256 + columns.upperBound] }
        }
        #expect(entropy(half(0..<128)) < entropy(half(128..<256)) - 0.03)
    }

    @Test func plainCodesThatFitStayAsTheyAre() throws {
        let weights = Matrix.random(rows: 64, columns: 256, seed: 74)
        var plain = try quantized("k4c", weights)
        let coded = try quantized("k4ce39", weights)
        plain.format = coded.format
        #expect(coded == plain)
    }

    @Test(arguments: ["k4te36", "k8ce20", "k5g64e40"])
    func damagedBytesAreRefused(name: String) throws {
        let weights = Matrix.random(rows: 20, columns: 128, seed: 75)
        let packed = try PackedMatrix(packing: quantized(name, weights), pool: pool)
        let coded = try packed.coded()
        guard case .grid(let grid) = packed.format, let rate = grid.indexRate else { return }
        let firstIndex = coded.count - 20 * 128 * rate / 80
        var unnoticed = 0
        for position in coded.indices {
            var damaged = coded
            damaged[position] ^= 0x55
            let found = try? Self.decoded(damaged, of: packed)
            #expect(found == nil || found?.count == packed.bytes.count)
            if position >= firstIndex, found != nil { unnoticed += 1 }
        }
        // A flip in one of the last words may happen to be another valid code.
        #expect(unnoticed * 100 < coded.count - firstIndex)
        for count in [0, 1, 63, coded.count - 64, coded.count - 1] {
            #expect(throws: QuantizationError.self) { try Self.decoded(Array(coded[..<count]), of: packed) }
        }
        #expect(throws: QuantizationError.self) { try Self.decoded(coded, of: packed, rows: 21) }
    }

    /// What a reader makes of stored bytes: layout R16.
    private static func decoded(_ coded: [UInt8], of packed: PackedMatrix, rows: Int? = nil) throws -> [UInt8] {
        try coded.withUnsafeBytes { bytes in
            let reader = try CodedMatrixReader(
                format: packed.format, rows: rows ?? packed.rows, columns: packed.columns, bytes: bytes)
            var result = [UInt8](reader.prologue)
            var block = [UInt8](repeating: 0xaa, count: packed.blockStride)
            for _ in 0..<(packed.rows + 15) / 16 {
                try block.withUnsafeMutableBytes { try reader.readBlock(into: $0) }
                result += block
            }
            try reader.finish()
            return result
        }
    }
}
