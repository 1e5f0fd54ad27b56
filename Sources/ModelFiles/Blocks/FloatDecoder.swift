/// Floats of files to float32. Everything is little-endian, as the machines are that Fettle runs on.
enum FloatDecoder {
    /// IEEE single precision, not necessarily aligned.
    static func float32(_ bytes: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(values).copyMemory(from: bytes, byteCount: count * 4)
    }

    /// IEEE half precision.
    static func float16(_ bytes: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Float>) {
        for index in 0..<count { values[index] = half(bytes, 2 * index) }
    }

    /// The upper half of a single-precision number.
    static func bfloat16(_ bytes: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Float>) {
        for index in 0..<count {
            let bits = UInt32(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
            values[index] = Float(bitPattern: bits << 16)
        }
    }

    /// The half-precision number at byte `offset`.
    @inline(__always)
    static func half(_ bytes: UnsafeRawPointer, _ offset: Int) -> Float {
        half(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// A half-precision number by shifts and one exact multiplication: without -march there is no conversion
    /// instruction, and the library call that takes its place costs ten times as much.
    @inline(__always)
    static func half(_ pattern: UInt16) -> Float {
        let bits = UInt32(pattern)
        let sign = (bits & 0x8000) << 16
        let magnitude = (bits & 0x7FFF) << 13
        // Infinity and NaN keep an exponent of all ones; the rest moves from bias 15 to bias 127, denormals included.
        let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let special = magnitude | 0x7F80_0000
        return Float(bitPattern: (magnitude >= 0x0F80_0000 ? special : finite) | sign)
    }
}
