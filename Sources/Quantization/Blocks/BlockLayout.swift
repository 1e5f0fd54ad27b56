/// Where the parts of a block stand in its bytes (ggml-common.h, `block_q4_0` and after).
struct BlockLayout {
    /// Some bits of every code, side by side. The low end of a byte belongs to one run of codes, what is above it to
    /// the next run, and so on until the byte is full: with width 4 and run 16, byte i has codes i and i + 16.
    private struct Plane {
        /// First byte in the block.
        let offset: Int
        /// Bits of a code, 1, 2, 4 or 8.
        let width: Int
        let run: Int
        /// Their place in the code.
        let shift: UInt8
    }

    private let format: BlockFormat
    private let planes: [Plane]
    /// Byte of the fp16 scale; the fp16 minimum, or its scale, stands two bytes after.
    private let scaleOffset: Int

    /// The layout of `format`.
    init(_ format: BlockFormat) {
        self.format = format
        switch format {
        case .q8_0:
            (scaleOffset, planes) = (0, [Plane(offset: 2, width: 8, run: 1, shift: 0)])
        case .q4_0, .iq4_nl:
            (scaleOffset, planes) = (0, [Plane(offset: 2, width: 4, run: 16, shift: 0)])
        case .q4_1:
            (scaleOffset, planes) = (0, [Plane(offset: 4, width: 4, run: 16, shift: 0)])
        case .q5_0:
            let low = Plane(offset: 6, width: 4, run: 16, shift: 0)
            (scaleOffset, planes) = (0, [low, Plane(offset: 2, width: 1, run: 1, shift: 4)])
        case .q5_1:
            let low = Plane(offset: 8, width: 4, run: 16, shift: 0)
            (scaleOffset, planes) = (0, [low, Plane(offset: 4, width: 1, run: 1, shift: 4)])
        case .q4_k:
            (scaleOffset, planes) = (0, [Plane(offset: 16, width: 4, run: 32, shift: 0)])
        case .q5_k:
            let low = Plane(offset: 48, width: 4, run: 32, shift: 0)
            (scaleOffset, planes) = (0, [low, Plane(offset: 16, width: 1, run: 32, shift: 4)])
        case .q6_k:
            let low = Plane(offset: 0, width: 4, run: 64, shift: 0)
            (scaleOffset, planes) = (208, [low, Plane(offset: 128, width: 2, run: 32, shift: 4)])
        case .q3_k:
            let low = Plane(offset: 32, width: 2, run: 32, shift: 0)
            (scaleOffset, planes) = (108, [low, Plane(offset: 0, width: 1, run: 32, shift: 2)])
        case .q2_k:
            (scaleOffset, planes) = (80, [Plane(offset: 16, width: 2, run: 32, shift: 0)])
        }
    }

    /// Reads the codes of `block` in the order of the weights.
    func readCodes(_ block: UnsafeBufferPointer<UInt8>, into codes: UnsafeMutableBufferPointer<UInt8>) {
        for index in codes.indices { codes[index] = 0 }
        for plane in planes {
            let mask = UInt8(truncatingIfNeeded: 1 << plane.width - 1)
            forEachByte(plane) { byte, first in
                var bits = block[byte]
                for part in 0..<8 / plane.width {
                    codes[first + part * plane.run] |= (bits & mask) << plane.shift
                    bits >>= UInt8(plane.width)
                }
            }
        }
        // q8_0 stores signed bytes; counted from 0 they have the upper bit turned over.
        if format == .q8_0 { for index in codes.indices { codes[index] ^= 0x80 } }
    }

    /// Writes codes in the order of the weights into `block`, whose bytes of codes are zero.
    func writeCodes(_ codes: UnsafeBufferPointer<UInt8>, into block: UnsafeMutableBufferPointer<UInt8>) {
        let flipped: UInt8 = format == .q8_0 ? 0x80 : 0
        for plane in planes {
            let mask = UInt8(truncatingIfNeeded: 1 << plane.width - 1)
            forEachByte(plane) { byte, first in
                var bits: UInt8 = 0
                for part in 0..<8 / plane.width {
                    let code = codes[first + part * plane.run] ^ flipped
                    bits |= (code >> plane.shift & mask) << UInt8(part * plane.width)
                }
                block[byte] = bits
            }
        }
    }

    /// Sets the bytes of codes to zero.
    func clearCodes(in block: UnsafeMutableBufferPointer<UInt8>) {
        for plane in planes { forEachByte(plane) { byte, _ in block[byte] = 0 } }
    }

    /// The scale of a group of codes.
    func scale(_ block: UnsafeBufferPointer<UInt8>, group: Int) -> Float {
        let scale = half(block, scaleOffset)
        guard let levels = BlockLevels(format) else { return scale }
        return scale * Float(levels.scale(block, group))
    }

    /// The minimum of a group of codes, signed as it is added.
    func minimum(_ block: UnsafeBufferPointer<UInt8>, group: Int) -> Float {
        let minimum = half(block, scaleOffset + 2)
        guard let levels = BlockLevels(format) else { return minimum }
        return -(minimum * Float(levels.minimum(block, group)))
    }

    /// Writes the fp16 scale and, of formats that have minimums, the second fp16 number.
    func writeScale(_ scale: UInt16, minimum: UInt16, into block: UnsafeMutableBufferPointer<UInt8>) {
        block[scaleOffset] = UInt8(truncatingIfNeeded: scale)
        block[scaleOffset + 1] = UInt8(truncatingIfNeeded: scale >> 8)
        guard format.hasMinimums else { return }
        block[scaleOffset + 2] = UInt8(truncatingIfNeeded: minimum)
        block[scaleOffset + 3] = UInt8(truncatingIfNeeded: minimum >> 8)
    }

    private func half(_ block: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Float {
        Float(Float16(bitPattern: UInt16(block[offset]) | UInt16(block[offset + 1]) << 8))
    }

    /// Calls `body` with each byte of a plane and the code at its low end.
    @inline(__always)
    private func forEachByte(_ plane: Plane, _ body: (_ byte: Int, _ first: Int) -> Void) {
        let parts = 8 / plane.width
        for start in stride(from: 0, to: format.blockLength, by: plane.run * parts) {
            for index in 0..<plane.run { body(plane.offset + start / parts + index, start + index) }
        }
    }
}
