/// The K types: super-blocks of 256 values whose sub-blocks' scales (and minimums) are small integers times one fp16
/// scale (ggml-common.h, `block_q2_K` and after). Each function decodes one block, in gguf-py's order of operations.
enum KBlockDecoder {
    /// 16 bytes of 4-bit scale and minimum, 64 bytes of 2-bit codes, fp16 scale, fp16 scale of the minimums.
    static func q2_k(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let levels = block.assumingMemoryBound(to: UInt8.self)
        let codes = levels + 16
        let scale = FloatDecoder.half(block, 80)
        let minimumScale = FloatDecoder.half(block, 82)
        for run in 0..<16 {
            let runScale = scale * Float(levels[run] & 15)
            let minimum = minimumScale * Float(levels[run] >> 4)
            let source = codes + (run &>> 3 &* 32 &+ run & 1 &* 16)
            let shift = UInt8(truncatingIfNeeded: run &>> 1 & 3 &* 2)
            let target = values + run &* 16
            for index in 0..<16 {
                target[index] = runScale * Float(Int32(source[index] &>> shift & 3)) - minimum
            }
        }
    }

    /// 32 bytes of third bits (set: no 4 is subtracted), 64 bytes of 2-bit codes, 16 6-bit scales less 32, fp16 scale.
    static func q3_k(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let high = block.assumingMemoryBound(to: UInt8.self)
        let codes = high + 32
        let levels = high + 96
        let scale = FloatDecoder.half(block, 108)
        for run in 0..<16 {
            let low = levels[run & 7] &>> UInt8(truncatingIfNeeded: run &>> 3 &* 4) & 15
            let upper = levels[8 &+ run & 3] &>> UInt8(truncatingIfNeeded: run &>> 2 &* 2) & 3
            let runScale = scale * Float(Int32(low | upper << 4) &- 32)
            let first = run & 1 &* 16
            let source = codes + (run &>> 3 &* 32 &+ first)
            let shift = UInt8(truncatingIfNeeded: run &>> 1 & 3 &* 2)
            let bit = UInt8(truncatingIfNeeded: run &>> 1)
            let target = values + run &* 16
            for index in 0..<16 {
                let third = Int32(high[first &+ index] &>> bit & 1) &* 4
                target[index] = runScale * Float(Int32(source[index] &>> shift & 3) &+ third &- 4)
            }
        }
    }

    /// fp16 scale, fp16 scale of the minimums, 8 6-bit scales and minimums, 128 bytes of nibbles.
    static func q4_k(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let codes = bytes + 16
        for run in 0..<8 {
            let (scale, minimum) = scaleAndMinimum(bytes, run)
            let source = codes + run &>> 1 &* 32
            let shift = UInt8(truncatingIfNeeded: run & 1 &* 4)
            let target = values + run &* 32
            for index in 0..<32 {
                target[index] = scale * Float(Int32(source[index] &>> shift & 15)) - minimum
            }
        }
    }

    /// As `q4_k`, with 32 bytes of fifth bits before the nibbles: bit r for the values of run r.
    static func q5_k(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let high = bytes + 16
        let codes = bytes + 48
        for run in 0..<8 {
            let (scale, minimum) = scaleAndMinimum(bytes, run)
            let source = codes + run &>> 1 &* 32
            let shift = UInt8(truncatingIfNeeded: run & 1 &* 4)
            let bit = UInt8(truncatingIfNeeded: run)
            let target = values + run &* 32
            for index in 0..<32 {
                let fifth = Int32(high[index] &>> bit & 1) &* 16
                target[index] = scale * Float(Int32(source[index] &>> shift & 15) &+ fifth) - minimum
            }
        }
    }

    /// 128 bytes of low nibbles, 64 bytes of upper 2 bits, 16 signed scales, fp16 scale; code - 32.
    static func q6_k(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let low = block.assumingMemoryBound(to: UInt8.self)
        let high = low + 128
        let levels = (block + 192).assumingMemoryBound(to: Int8.self)
        let scale = FloatDecoder.half(block, 208)
        for run in 0..<16 {
            let runScale = scale * Float(levels[run])
            let (half, quarter) = (run &>> 3, run &>> 1 & 3)
            let first = run & 1 &* 16
            let lowSource = low + (half &* 64 &+ quarter & 1 &* 32 &+ first)
            let highSource = high + (half &* 32 &+ first)
            let lowShift = UInt8(truncatingIfNeeded: quarter &>> 1 &* 4)
            let highShift = UInt8(truncatingIfNeeded: quarter &* 2)
            let target = values + run &* 16
            for index in 0..<16 {
                let code = lowSource[index] &>> lowShift & 15 | (highSource[index] &>> highShift & 3) << 4
                target[index] = runScale * Float(Int32(code) &- 32)
            }
        }
    }

    /// Scale and minimum of sub-block `run` of q4_k and q5_k: 6 bits each in bytes 4...15, multiplied out.
    @inline(__always)
    private static func scaleAndMinimum(_ block: UnsafePointer<UInt8>, _ run: Int) -> (Float, Float) {
        let levels = block + 4
        let scale: UInt8
        let minimum: UInt8
        if run < 4 {
            scale = levels[run] & 63
            minimum = levels[run &+ 4] & 63
        } else {
            scale = levels[run &+ 4] & 15 | (levels[run &- 4] >> 6) << 4
            minimum = levels[run &+ 4] >> 4 | (levels[run] >> 6) << 4
        }
        return (FloatDecoder.half(block, 0) * Float(scale), FloatDecoder.half(block, 2) * Float(minimum))
    }
}
