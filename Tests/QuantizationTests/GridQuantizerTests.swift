import Compute
import Quantization
import Testing

/// What every grid must do: the same bits on every machine, and sense in the face of odd numbers.
@Suite struct GridQuantizerTests {
    @Test(arguments: GridFormat.usual.filter { $0.granularity != .group(256) && $0.granularity != .group(128) })
    func theSameBitsOnAnyInstructionSetAndThreadCount(format: GridFormat) throws {
        let weights = Matrix.random(rows: 21, columns: 320, .heavyTailed, seed: 30)
        var generator = SeededGenerator(seed: 31)
        let importance = generator.importance(320)
        let rowImportance = generator.importance(21)
        let results = try [1, 2].flatMap { threads in
            try InstructionSet.allCases.filter(\.isSupported).map { instructionSet in
                try GridQuantizer.quantize(
                    weights, as: format, importance: importance, rowImportance: rowImportance, clip: true,
                    pool: ThreadPool(threads: threads, instructionSet: instructionSet))
            }
        }
        for result in results { #expect(result == results[0]) }
        try results[0].validate()
        #expect(try PackedMatrix(packing: results[0]).unpacked() == results[0])
    }

    @Test func zerosStayZeros() throws {
        var weights = Matrix.random(rows: 18, columns: 256, seed: 32)
        for index in 0..<64 { weights.values[256 + index] = 0 }
        for column in 0..<256 { weights.values[17 * 256 + column] = 0 }
        for format in GridFormat.usual where format.granularity != .tensor {
            for clip in [false, true] {
                let result = try GridQuantizer.quantize(
                    weights, as: format, clip: clip, pool: ThreadPool(threads: 1)
                ).dequantized()
                if format.granularity == .group(32) || format.granularity == .group(64) {
                    #expect(result.values[256..<320].allSatisfy { $0 == 0 }, "\(format)")
                }
                #expect(result[row: 17].allSatisfy { $0 == 0 }, "\(format)")
            }
        }
        let nothing = Matrix(rows: 3, columns: 256)
        for format in GridFormat.usual {
            let result = try GridQuantizer.quantize(nothing, as: format, clip: true, pool: ThreadPool(threads: 1))
            #expect(result.dequantized() == nothing, "\(format)")
        }
    }

    @Test func columnsWithoutImportanceDoNotCount() throws {
        // Half of the columns hold large weights that no input ever meets.
        var weights = Matrix.random(rows: 16, columns: 256, seed: 33)
        var importance = [Float](repeating: 1, count: 256)
        for column in stride(from: 0, to: 256, by: 2) {
            importance[column] = 0
            for row in 0..<16 { weights.values[row * 256 + column] *= 100 }
        }
        for format in GridFormat.usual {
            let found = try GridQuantizer.error(format.description, of: weights, importance: importance)
            let blind = try GridQuantizer.quantize(weights, as: format, clip: true, pool: ThreadPool(threads: 1))
            #expect(found < blind.error(of: weights, importance: importance) / 2, "\(format)")
        }
        // Where nothing counts, everything does.
        let zeros = [Float](repeating: 0, count: 256)
        for name in ["u4g32", "a3t", "k4c", "l3g64"] {
            let format = try GridQuantizer.grid(name)
            let pool = ThreadPool(threads: 1)
            #expect(
                try GridQuantizer.quantize(weights, as: format, importance: zeros, clip: true, pool: pool)
                    == GridQuantizer.quantize(weights, as: format, clip: true, pool: pool))
        }
    }

    @Test func rowsWithoutImportanceAreStillServed() throws {
        let weights = Matrix.random(rows: 1024, columns: 32, seed: 40)
        // All of a codebook's rows, and all that a codebook of the matrix looks at first.
        let rowImportance = (0..<1024).map { $0 == 1000 ? Float(1) : 0 }
        // One block of 64 has a codebook made for one row; one of the matrix would be made for that row alone. Scales of groups
        // do not compete for anything.
        for (name, factor) in [("k4g32r16", 1.1), ("k4g32", 5), ("u4g32", 1)] {
            let format = try GridQuantizer.grid(name)
            let pool = ThreadPool(threads: 2)
            let even = try GridQuantizer.quantize(weights, as: format, clip: true, pool: pool)
            let uneven = try GridQuantizer.quantize(
                weights, as: format, rowImportance: rowImportance, clip: true, pool: pool)
            #expect(uneven.error(of: weights) <= even.error(of: weights) * factor, "\(name)")
        }
    }

    @Test func importanceHasNoUnit() throws {
        let weights = Matrix.random(rows: 16, columns: 128, seed: 34)
        var generator = SeededGenerator(seed: 35)
        let importance = generator.importance(128)
        for name in ["u4g32", "u8c", "a3t", "k4g64", "k3t", "l4c", "p5c"] {
            let format = try GridQuantizer.grid(name)
            // Powers of two, so that not even a rounding differs.
            let results = try [1, 0x1p-100, 0x1p+100].map { (unit: Float) in
                try GridQuantizer.quantize(
                    weights, as: format, importance: importance.map { $0 * unit }, clip: true,
                    pool: ThreadPool(threads: 1))
            }
            #expect(results[0] == results[1] && results[0] == results[2], "\(name)")
        }
    }

    @Test func aRowThatCountsMoreIsServedBetter() throws {
        // One row with a quarter of the others' range, whose weights only a smaller scale would resolve.
        var weights = Matrix.random(rows: 16, columns: 256, seed: 36)
        for column in 0..<256 { weights.values[5 * 256 + column] /= 4 }
        var rowImportance = [Float](repeating: 1, count: 16)
        rowImportance[5] = 1e4
        let only = rowImportance.map { $0 > 1 ? Float(1) : 0 }
        for name in ["u4t", "a4t", "k4t", "k4c", "l4t", "p4t"] {
            let format = try GridQuantizer.grid(name)
            let pool = ThreadPool(threads: 1)
            let even = try GridQuantizer.quantize(weights, as: format, clip: true, pool: pool)
            let served = try GridQuantizer.quantize(
                weights, as: format, rowImportance: rowImportance, clip: true, pool: pool)
            #expect(
                served.error(of: weights, rowImportance: only) < even.error(of: weights, rowImportance: only), "\(name)"
            )
        }
    }

    @Test func tinyAndHugeWeights() throws {
        for unit: Float in [1e-30, 1e-9, 1e-4, 6e4] {
            var weights = Matrix.random(rows: 16, columns: 64, seed: 37)
            let largest = weights.values.map(abs).max() ?? 1
            for index in weights.values.indices { weights.values[index] *= unit / largest }
            let energy = weights.values.reduce(0) { $0 + Double($1) * Double($1) }
            for name in ["u8g32", "a8g32", "k5c", "l4g32", "p5g32", "u8t"] {
                let error = try GridQuantizer.error(name, of: weights)
                // Scales below 6e-8 do not exist in half precision: weights below that become zeros, and never worse.
                #expect(error.isFinite && error <= energy * (unit >= 1e-4 ? 0.05 : 1.0001), "\(name) at \(unit)")
            }
        }
    }

    @Test func unusableNumbersAreNamed() throws {
        let pool = ThreadPool(threads: 1)
        let format = try GridQuantizer.grid("u4g32")
        for bad: Float in [.nan, .infinity, -.infinity, 1e5] {
            var weights = Matrix.random(rows: 4, columns: 64, seed: 38)
            weights.values[2 * 64 + 7] = bad
            let error = try #require(throws: QuantizationError.self) {
                try GridQuantizer.quantize(weights, as: format, clip: true, pool: pool)
            }
            #expect(error.code == .unusableValue && error.place == "weight at row 2, column 7")
            #expect(throws: QuantizationError.self) { try PackedMatrix(float16: weights) }
        }
        let weights = Matrix.random(rows: 4, columns: 64, seed: 39)
        for bad: Float in [.nan, .infinity, -1] {
            var importance = [Float](repeating: 1, count: 64)
            importance[9] = bad
            let error = try #require(throws: QuantizationError.self) {
                try GridQuantizer.quantize(weights, as: format, importance: importance, clip: true, pool: pool)
            }
            #expect(error.place == "importance of column 9")
        }
        #expect(throws: QuantizationError.self) {
            try GridQuantizer.quantize(weights, as: format, importance: [1], clip: true, pool: pool)
        }
        #expect(throws: QuantizationError.self) {
            try GridQuantizer.quantize(weights, as: format, rowImportance: [1], clip: true, pool: pool)
        }
        for name in ["u4g128", "k3g96"] {
            let error = try #require(throws: QuantizationError.self) {
                try GridQuantizer.quantize(weights, as: GridQuantizer.grid(name), clip: true, pool: pool)
            }
            #expect(error.code == .illegalShape)
        }
    }
}
