/// The vector-quantized types of 256 values: indices into a grid of 4- or 8-vectors of magnitudes, and signs
/// (ggml-common.h, `block_iq2_xxs` and after). Each function decodes one block, in gguf-py's order of operations.
enum VectorBlockDecoder {
    /// fp16 scale; for each run of 32 values four grid indices, four 7-bit sign patterns and a 4-bit scale.
    static func iq2_xxs(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 0)
        for run in 0..<8 {
            let word = block.loadUnaligned(fromByteOffset: 6 &+ 8 &* run, as: UInt32.self)
            let runScale = scale * (0.5 + Float(word >> 28)) * 0.25
            for part in 0..<4 {
                let index = Int(bytes[2 &+ 8 &* run &+ part])
                let signs = evenSigns(word &>> UInt32(truncatingIfNeeded: 7 &* part))
                signed(VectorGrid.iq2_xxs, index, signs, runScale, values + (run &* 32 &+ part &* 8))
            }
        }
    }

    /// fp16 scale, 32 words of a 9-bit grid index and a 7-bit sign pattern, 16 4-bit scales.
    static func iq2_xs(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let levels = (block + 66).assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 0)
        for vector in 0..<32 {
            let word = UInt32(block.loadUnaligned(fromByteOffset: 2 &+ 2 &* vector, as: UInt16.self))
            let runScale = scale * (0.5 + Float(nibble(levels, vector &>> 1))) * 0.25
            signed(VectorGrid.iq2_xs, Int(word & 511), evenSigns(word >> 9), runScale, values + vector &* 8)
        }
    }

    /// fp16 scale, 32 low bytes of grid indices, 32 sign bytes, 32 2-bit upper parts of indices, 16 4-bit scales.
    static func iq2_s(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 0)
        for vector in 0..<32 {
            let upper = Int(bytes[66 &+ vector &>> 2] &>> UInt8(truncatingIfNeeded: vector & 3 &* 2) & 3)
            let runScale = scale * (0.5 + Float(nibble(bytes + 74, vector &>> 1))) * 0.25
            let index = Int(bytes[2 &+ vector]) | upper << 8
            signed(VectorGrid.iq2_s, index, bytes[34 &+ vector], runScale, values + vector &* 8)
        }
    }

    /// fp16 scale, 64 grid indices; for each run of 32 values four 7-bit sign patterns and a 4-bit scale.
    static func iq3_xxs(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 0)
        for run in 0..<8 {
            let word = block.loadUnaligned(fromByteOffset: 66 &+ 4 &* run, as: UInt32.self)
            let runScale = scale * (0.5 + Float(word >> 28)) * 0.5
            for part in 0..<8 {
                let signs = evenSigns(word &>> UInt32(truncatingIfNeeded: part &>> 1 &* 7))
                let vector = run &* 8 &+ part
                let half = signs &>> UInt8(truncatingIfNeeded: part & 1 &* 4)
                signed(VectorGrid.iq3_xxs, Int(bytes[2 &+ vector]), half, runScale, values + vector &* 4)
            }
        }
    }

    /// fp16 scale, 64 low bytes of grid indices, their 64 ninth bits, 32 sign bytes, 8 4-bit scales.
    static func iq3_s(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 0)
        for vector in 0..<64 {
            let upper = Int(bytes[66 &+ vector &>> 3] &>> UInt8(truncatingIfNeeded: vector & 7) & 1)
            let runScale = scale * Float(1 &+ 2 &* nibble(bytes + 106, vector &>> 3))
            let signs = bytes[74 &+ vector &>> 1] &>> UInt8(truncatingIfNeeded: vector & 1 &* 4)
            signed(VectorGrid.iq3_s, Int(bytes[2 &+ vector]) | upper << 8, signs, runScale, values + vector &* 4)
        }
    }

    /// Number `index` of a sequence of nibbles, low ones first.
    @inline(__always)
    private static func nibble(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> UInt8 {
        bytes[index &>> 1] &>> UInt8(truncatingIfNeeded: index & 1 &* 4) & 15
    }

    /// Eight signs from seven: the last one makes the number of minus signs even.
    @inline(__always)
    private static func evenSigns(_ bits: UInt32) -> UInt8 {
        let seven = UInt8(truncatingIfNeeded: bits & 127)
        return seven | UInt8(truncatingIfNeeded: seven.nonzeroBitCount & 1) << 7
    }

    @inline(__always)
    private static func signed(
        _ grid: VectorGrid, _ index: Int, _ signs: UInt8, _ scale: Float, _ values: UnsafeMutablePointer<Float>
    ) {
        grid.points.withUnsafeBufferPointer { points in
            for element in 0..<grid.dimension {
                let sign: Float = signs &>> UInt8(truncatingIfNeeded: element) & 1 == 0 ? 1 : -1
                values[element] = scale * points[index &* grid.dimension &+ element] * sign
            }
        }
    }
}
