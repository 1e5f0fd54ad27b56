/// The block types of 32 evenly spaced values: scale x code, or scale x code + minimum (ggml-common.h, `block_q4_0` and
/// after). Each function decodes one block, in gguf-py's order of operations.
enum LinearBlockDecoder {
    /// fp16 scale; 16 bytes whose low nibbles are values 0...15 and high nibbles 16...31; code - 8.
    static func q4_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let scale = FloatDecoder.half(block, 0)
        let codes = (block + 2).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            values[index] = scale * Float(Int32(codes[index] & 15) &- 8)
            values[index &+ 16] = scale * Float(Int32(codes[index] >> 4) &- 8)
        }
    }

    /// fp16 scale, fp16 minimum, nibbles as in `q4_0`.
    static func q4_1(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let scale = FloatDecoder.half(block, 0)
        let minimum = FloatDecoder.half(block, 2)
        let codes = (block + 4).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            values[index] = scale * Float(Int32(codes[index] & 15)) + minimum
            values[index &+ 16] = scale * Float(Int32(codes[index] >> 4)) + minimum
        }
    }

    /// fp16 scale; 32 fifth bits, bit i for value i; nibbles as in `q4_0`; code - 16.
    static func q5_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let scale = FloatDecoder.half(block, 0)
        let high = block.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
        let codes = (block + 6).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            let (low, upper) = fiveBitCodes(codes[index], high, UInt32(truncatingIfNeeded: index))
            values[index] = scale * Float(low &- 16)
            values[index &+ 16] = scale * Float(upper &- 16)
        }
    }

    /// fp16 scale, fp16 minimum, then as in `q5_0`.
    static func q5_1(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let scale = FloatDecoder.half(block, 0)
        let minimum = FloatDecoder.half(block, 2)
        let high = block.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        let codes = (block + 8).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            let (low, upper) = fiveBitCodes(codes[index], high, UInt32(truncatingIfNeeded: index))
            values[index] = scale * Float(low) + minimum
            values[index &+ 16] = scale * Float(upper) + minimum
        }
    }

    /// fp16 scale, 32 signed bytes.
    static func q8_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let scale = FloatDecoder.half(block, 0)
        let codes = (block + 2).assumingMemoryBound(to: Int8.self)
        for index in 0..<32 { values[index] = scale * Float(Int32(codes[index])) }
    }

    /// The codes of values `index` and `index` + 16 from their byte of nibbles and the block's fifth bits.
    @inline(__always)
    private static func fiveBitCodes(_ nibbles: UInt8, _ high: UInt32, _ index: UInt32) -> (Int32, Int32) {
        let low = UInt32(nibbles & 15) | (high &>> index & 1) << 4
        let upper = UInt32(nibbles >> 4) | (high &>> (index &+ 16) & 1) << 4
        return (Int32(bitPattern: low), Int32(bitPattern: upper))
    }
}
