/// Block types of 256 values that are -1, 0 or 1 before scaling (ggml-common.h, `block_tq1_0`, `block_tq2_0`,
/// `block_iq1_s`, `block_iq1_m`). Each function decodes one block, in gguf-py's order of operations.
enum TernaryBlockDecoder {
    /// 48 bytes of five base-3 digits, 4 bytes of four, fp16 scale.
    static func tq1_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 52)
        digits(bytes, 32, 5, scale, values)
        digits(bytes + 32, 16, 5, scale, values + 160)
        digits(bytes + 48, 4, 4, scale, values + 240)
    }

    /// 64 bytes of 2-bit codes, fp16 scale; code - 1.
    static func tq2_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 64)
        for run in 0..<8 {
            let source = bytes + run &>> 2 &* 32
            let shift = UInt8(truncatingIfNeeded: run & 3 &* 2)
            let target = values + run &* 32
            for index in 0..<32 { target[index] = scale * Float(Int32(source[index] &>> shift & 3) &- 1) }
        }
    }

    /// fp16 scale, 32 low bytes of grid indices, 8 words of four 3-bit upper parts, a 3-bit scale and the sign of
    /// delta.
    static func iq1_s(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let low = (block + 2).assumingMemoryBound(to: UInt8.self)
        let scale = FloatDecoder.half(block, 0)
        for run in 0..<8 {
            let word = block.loadUnaligned(fromByteOffset: 34 &+ 2 &* run, as: UInt16.self)
            let runScale = scale * Float(word >> 12 & 7 &* 2 &+ 1)
            for part in 0..<4 {
                let upper = Int(word &>> UInt16(truncatingIfNeeded: 3 &* part) & 7)
                let vector = run &* 4 &+ part
                ternary(Int(low[vector]) | upper << 8, word & 0x8000 != 0, runScale, values + vector &* 8)
            }
        }
    }

    /// 32 low bytes of grid indices, 16 bytes of 3-bit upper parts with the sign of delta, 16 3-bit scales, and between
    /// those, four bits in each word, the fp16 scale.
    static func iq1_m(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        var scaleBits: UInt16 = 0
        for word in 0..<4 {
            let bits = block.loadUnaligned(fromByteOffset: 48 &+ 2 &* word, as: UInt16.self)
            scaleBits |= (bits & 0xF000) &>> UInt16(truncatingIfNeeded: 12 &- 4 &* word)
        }
        let scale = FloatDecoder.half(scaleBits)
        for vector in 0..<32 {
            let levels = block.loadUnaligned(fromByteOffset: 48 &+ vector &>> 3 &* 2, as: UInt16.self)
            let level = levels &>> UInt16(truncatingIfNeeded: vector &>> 1 & 3 &* 3) & 7
            let upper = bytes[32 &+ vector &>> 1] &>> UInt8(truncatingIfNeeded: vector & 1 &* 4)
            let index = Int(bytes[vector]) | Int(upper & 7) << 8
            ternary(index, upper & 8 != 0, scale * Float(level &* 2 &+ 1), values + vector &* 8)
        }
    }

    private static func ternary(
        _ index: Int, _ isDeltaNegative: Bool, _ scale: Float, _ values: UnsafeMutablePointer<Float>
    ) {
        let delta: Float = isDeltaNegative ? -0.125 : 0.125
        VectorGrid.iq1.points.withUnsafeBufferPointer { points in
            for element in 0..<8 { values[element] = scale * (points[index &* 8 &+ element] + delta) }
        }
    }

    private static func digits(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ digits: Int, _ scale: Float,
        _ values: UnsafeMutablePointer<Float>
    ) {
        var power: UInt8 = 1
        for digit in 0..<digits {
            let target = values + digit &* count
            for index in 0..<count {
                let code = (UInt16(bytes[index] &* power) &* 3) >> 8
                target[index] = scale * Float(Int32(code) &- 1)
            }
            power = power &* 3
        }
    }
}
