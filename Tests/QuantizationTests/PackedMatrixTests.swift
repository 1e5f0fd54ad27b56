import Compute
import Quantization
import Testing

/// Layout R16, held against its specification read literally, one code at a time.
@Suite struct PackedMatrixTests {
    static let formats: [GridFormat] = GridFormat.usual.filter { $0.granularity != .group(256) }

    @Test(arguments: formats, [(1, 128), (16, 384), (17, 128), (45, 256)])
    func unpackingGivesBackEveryBit(format: GridFormat, shape: (Int, Int)) throws {
        let matrix = QuantizedMatrix.random(format, rows: shape.0, columns: shape.1, seed: 1)
        let packed = try PackedMatrix(packing: matrix, pool: ThreadPool(threads: 2))
        #expect(try packed.unpacked() == matrix)
        #expect(packed.bytes.count == Format.grid(format).packedBytes(rows: shape.0, columns: shape.1))
        let stored = try packed.bytes.withUnsafeBytes {
            try PackedMatrix(format: .grid(format), rows: shape.0, columns: shape.1, bytes: $0)
        }
        #expect(stored == packed)
    }

    @Test(arguments: 2...8)
    func tilesAreBitPlanesOfTheSpecification(bits: Int) throws {
        let format = GridFormat(.uniform, bits: bits, .group(32))
        let matrix = QuantizedMatrix.random(format, rows: 21, columns: 96, seed: 2)
        let packed = try PackedMatrix(packing: matrix)
        let bytes = Array(packed.bytes.bytes)
        let stride = 128 + 3 * 64 * bits  // 3 groups x 16 scales x 2 bytes, padded to 128; 3 tiles
        #expect(packed.blockStride == stride && packed.prologueBytes == 0)
        let planes = [8: [8], 7: [4, 2, 1], 6: [4, 2], 5: [4, 1], 4: [4], 3: [2, 1], 2: [2]][bits] ?? []
        for row in 0..<32 {
            for column in 0..<96 {
                let tile = row / 16 * stride + 128 + column / 32 * 64 * bits
                let step = column % 32 / 4
                var plane = tile
                var code = 0
                var lower = 0
                for width in planes {
                    // A plane of `width` bits has that many lines; line t holds steps t, t + width, ... one above the other.
                    let byte = bytes[plane + step % width * 64 + row % 16 * 4 + column % 4]
                    code |= (Int(byte) >> (step / width * width) & ((1 << width) - 1)) << lower
                    plane += 64 * width
                    lower += width
                }
                #expect(code == (row < 21 ? Int(matrix.codes[row * 96 + column]) : 0))
            }
        }
    }

    @Test func theBytesBeginOnALine() throws {
        let packed = try PackedMatrix(
            packing: .random(GridFormat(.uniform, bits: 4, .group(32)), rows: 3, columns: 32, seed: 7))
        #expect(Int(bitPattern: packed.bytes.bytes.baseAddress).isMultiple(of: 64))
    }

    @Test(arguments: BlockFormat.allCases)
    func blockTypesPackAsTheirParts(format: BlockFormat) throws {
        let matrix = QuantizedMatrix.random(format, rows: 21, columns: 512, seed: 8)
        let packed = try PackedMatrix(packing: matrix, pool: ThreadPool(threads: 2))
        #expect(try packed.unpacked() == matrix)
        // Stored, a block type is GGUF's bytes and not these.
        #expect(throws: QuantizationError.self) { try R16Layout(storing: .block(format), rows: 21, columns: 512) }
    }

    @Test func float32ScalesAndMinimumsLieByGroup() throws {
        let matrix = QuantizedMatrix.random(.q2_k, rows: 17, columns: 256, seed: 9)
        let packed = try PackedMatrix(packing: matrix)
        guard case .float32(let scales) = matrix.scales, case .minimums(let minimums) = matrix.offsets else { return }
        #expect(packed.blockStride == 16 * 16 * 4 * 2 + 8 * 128)
        for row in 0..<17 {
            for group in 0..<16 {
                let place = row / 16 * packed.blockStride + (group * 16 + row % 16) * 4
                #expect(packed.bytes.bytes.load(fromByteOffset: place, as: Float.self) == scales[row * 16 + group])
                #expect(
                    packed.bytes.bytes.load(fromByteOffset: place + 1024, as: Float.self) == minimums[row * 16 + group])
            }
        }
    }

    @Test func sectionsLieWhereTheSpecificationSays() throws {
        // 18 rows: two blocks. 4 groups of 32: 4 x 16 halves = 128 bytes, 4 x 16 zero points = 64 bytes, 4 tiles of 256.
        let affine = QuantizedMatrix.random(GridFormat(.affine, bits: 4, .group(32)), rows: 18, columns: 128, seed: 3)
        let packed = try PackedMatrix(packing: affine)
        #expect(packed.blockStride == 128 + 64 + 4 * 256)
        #expect(packed.bytes.count == 2 * packed.blockStride)
        guard case .float16(let scales) = affine.scales, case .zeroPoints(let points) = affine.offsets else {
            Issue.record("an affine matrix has half-precision scales and zero points")
            return
        }
        let bytes = packed.bytes.bytes
        for row in 0..<32 {
            for group in 0..<4 {
                let block = row / 16 * packed.blockStride
                let slot = group * 16 + row % 16
                #expect(
                    bytes.load(fromByteOffset: block + slot * 2, as: UInt16.self)
                        == (row < 18 ? scales[row * 4 + group] : 0))
                #expect(bytes[block + 128 + slot] == (row < 18 ? points[row * 4 + group] : 0))
            }
        }
    }

    @Test func prologueHoldsTensorScaleAndCodebooks() throws {
        let rowBlocks = GridFormat(.codebook, bits: 5, .tensor, rowBlockCodebooks: true)
        let matrix = QuantizedMatrix.random(rowBlocks, rows: 40, columns: 32, seed: 4)
        let packed = try PackedMatrix(packing: matrix)
        // A line for the scale; 3 codebooks of 32 entries are 96 bytes, padded to 128.
        #expect(packed.prologueBytes == 64 + 128)
        let bytes = Array(packed.bytes.bytes)
        guard case .float16(let scales) = matrix.scales else { return }
        #expect(
            bytes[0..<64] == ([UInt8(scales[0] & 255), UInt8(scales[0] >> 8)] + [UInt8](repeating: 0, count: 62))[...])
        #expect(bytes[64..<160].map(Int8.init(bitPattern:)) == matrix.codebooks)
        #expect(bytes[160..<192].allSatisfy { $0 == 0 })
        #expect(packed.blockStride == 5 * 64)
    }

    @Test func packedBytesByHand() throws {
        // 576 x 576: 36 row blocks.
        let sizes: [(String, Int)] = [
            ("u4g32", 36 * (18 * 16 * 2 + 18 * 256)),
            ("u4c", 36 * (64 + 18 * 256)),
            ("u4t", 64 + 36 * 18 * 256),
            ("k4t", 128 + 36 * 18 * 256),
            ("k3g64r16", 320 + 36 * (320 + 18 * 192)),
            ("a2c", 36 * (64 + 64 + 18 * 128)),
            ("f16", 576 * 576 * 2),
            ("q4_0", 576 * 18 * 18),
            ("q8_0", 576 * 18 * 34),
        ]
        for (name, bytes) in sizes {
            #expect(try Format(parsing: name).packedBytes(rows: 576, columns: 576) == bytes, "\(name)")
        }
        #expect(try Format(parsing: "u4g32").bitsPerWeight(rows: 576, columns: 576) == 4.5)
    }

    @Test func shapesThatAFormatCannotDivideAreIllegal() throws {
        #expect(try Format(parsing: "u4g128").isLegal(rows: 4, columns: 576) == false)
        #expect(try Format(parsing: "q4_k").isLegal(rows: 4, columns: 576) == false)
        #expect(try Format(parsing: "q6_k").packedBytes(rows: 576, columns: 1536) == 576 * 6 * 210)
        #expect(try Format(parsing: "u4g64").isLegal(rows: 4, columns: 576))
        #expect(try Format(parsing: "u4t").isLegal(rows: 4, columns: 48) == false)
        #expect(try Format(parsing: "f16").isLegal(rows: 4, columns: 48) == false)
        #expect(try Format(parsing: "u4t").isLegal(rows: 0, columns: 32) == false)
        #expect(try Format(parsing: "u4t").isLegal(rows: Int.max, columns: 32) == false)
        #expect(try Format(parsing: "u4t").isLegal(rows: 1 << 29, columns: 1 << 29) == false)
        #expect(Format.grid(GridFormat(.uniform, bits: 9, .tensor)).isLegal(rows: 16, columns: 32) == false)
        #expect(Format.grid(GridFormat(.uniform, bits: 4, .group(0))).isLegal(rows: 16, columns: 32) == false)
    }

    @Test func halfPrecisionWeightsAreTwoLinesForAStep() throws {
        let weights = Matrix.random(rows: 19, columns: 64, seed: 5)
        let packed = try PackedMatrix(float16: weights, pool: ThreadPool(threads: 2))
        #expect(packed.bytes.count == 2 * 64 * 32)
        for row in 0..<32 {
            for column in 0..<64 {
                let value = packed.bytes.bytes.load(
                    fromByteOffset: row / 16 * 2048 + column / 4 * 128 + (row % 16 * 4 + column % 4) * 2,
                    as: Float16.self)
                #expect(value == (row < 19 ? Float16(weights.values[row * 64 + column]) : 0))
            }
        }
        #expect(packed.dequantized().values == weights.values.map { Float(Float16($0)) })
        #expect(throws: QuantizationError.self) { try packed.unpacked() }
    }

    @Test func wrongPartsAreRefused() throws {
        let format = GridFormat(.affine, bits: 4, .group(32))
        let sound = QuantizedMatrix.random(format, rows: 5, columns: 64, seed: 6)
        var wrong = [QuantizedMatrix](repeating: sound, count: 8)
        wrong[0].codes[77] = 16
        wrong[1].codes.removeLast()
        wrong[2].scales = .float16([0])
        wrong[3].offsets = .zeroPoints([1, 2])
        wrong[4].group = 0
        wrong[5].rows = Int.max
        wrong[6].codebooks = [1, 2, 3]
        wrong[7].offsets = .constant(8)
        for matrix in wrong {
            #expect(throws: QuantizationError.self) { try PackedMatrix(packing: matrix) }
        }
        let bytes = try PackedMatrix(packing: sound).bytes
        for (name, rows, count) in [
            ("a4g32", 5, bytes.count - 1), ("a4g32", 500, bytes.count), ("q4_0", 5, 180), ("u4g128", 5, 64),
        ] {
            #expect(throws: QuantizationError.self) {
                try PackedMatrix(
                    format: Format(parsing: name), rows: rows, columns: 64,
                    bytes: UnsafeRawBufferPointer(rebasing: bytes.bytes.prefix(count)))
            }
        }
    }
}
