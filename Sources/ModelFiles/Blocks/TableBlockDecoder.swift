/// Block types whose 4-bit codes index a fixed table: ggml's non-linear grid, and the 4-bit floats of the OCP
/// Microscaling specification (MXFP4) and NVIDIA's NVFP4. Each function decodes one block, in gguf-py's order of
/// operations.
package enum TableBlockDecoder {
    /// The 16 values of iq4_nl and iq4_xs (ggml-common.h, `kvalues_iq4nl`).
    package static let nonlinear: [Int8] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
    /// The 16 values of a float with 2 exponent bits and 1 fraction bit, doubled.
    static let float4: [Int8] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

    private static let nonlinearFloats = nonlinear.map { Float($0) }
    private static let float4Floats = float4.map { Float($0) }

    /// fp16 scale; 16 bytes whose low nibbles are values 0...15 and high nibbles 16...31.
    static func iq4_nl(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let codes = (block + 2).assumingMemoryBound(to: UInt8.self)
        nibbles(codes, 16, FloatDecoder.half(block, 0), nonlinearFloats, values)
    }

    /// fp16 scale, upper 2 bits of 8 scales, lower 4 bits of them, nibbles in runs of 32 as in `iq4_nl`; scale - 32.
    static func iq4_xs(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let scale = FloatDecoder.half(block, 0)
        let upper = block.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        for run in 0..<8 {
            let low = UInt16(bytes[4 &+ run &>> 1] &>> UInt8(truncatingIfNeeded: run & 1 &* 4) & 15)
            let level = low | (upper &>> UInt16(truncatingIfNeeded: run &* 2) & 3) << 4
            let runScale = scale * Float(Int32(level) &- 32)
            nibbles(bytes + (8 &+ run &* 16), 16, runScale, nonlinearFloats, values + run &* 32)
        }
    }

    /// A power of two (E8M0, halved because the table is doubled); nibbles as in `iq4_nl`.
    static func mxfp4(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        let exponent = UInt32(bytes[0])
        let scale = Float(bitPattern: exponent < 2 ? 0x0020_0000 << exponent : (exponent &- 1) << 23)
        nibbles(bytes + 1, 16, scale, float4Floats, values)
    }

    /// Four runs of 16, each with a scale of 4 exponent and 3 fraction bits; low nibbles are values 0...7 of a run.
    static func nvfp4(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
        let bytes = block.assumingMemoryBound(to: UInt8.self)
        for run in 0..<4 {
            nibbles(bytes + (4 &+ run &* 8), 8, float7(bytes[run]) * 0.5, float4Floats, values + run &* 16)
        }
    }

    /// Unsigned E4M3: bias 7, no infinity; 0x7F, its NaN, counts as 0, and the sign bit is passed over.
    private static func float7(_ bits: UInt8) -> Float {
        if bits == 0x7F { return 0 }
        let fraction = Float(bits & 7)
        let exponent = UInt32(bits >> 3 & 15)
        return exponent == 0 ? fraction * 0x1p-9 : (1 + fraction / 8) * Float(bitPattern: (exponent &+ 120) << 23)
    }

    @inline(__always)
    private static func nibbles(
        _ codes: UnsafePointer<UInt8>, _ count: Int, _ scale: Float, _ table: [Float],
        _ values: UnsafeMutablePointer<Float>
    ) {
        table.withUnsafeBufferPointer { table in
            for index in 0..<count {
                values[index] = scale * table[Int(codes[index] & 15)]
                values[index &+ count] = scale * table[Int(codes[index] >> 4)]
            }
        }
    }
}
