/// The integer levels of a K type's sub-blocks: their scales, and of some types their minimums, in units of the
/// super-block's fp16 numbers.
enum BlockLevels {
    /// 16 signed bytes from byte 192 on.
    case q6_k
    /// 16 scales of 6 bits, less 32, in bytes 96...107: low nibbles, then the upper two bits.
    case q3_k
    /// 16 bytes, the scale in the low nibble and the minimum in the high one.
    case q2_k
    /// 8 scales and minimums of 6 bits in bytes 4...15; the upper two bits of 4...7 stand above those of 0...3.
    case q4_k

    /// Nil for a format without levels.
    init?(_ format: BlockFormat) {
        switch format {
        case .q6_k: self = .q6_k
        case .q3_k: self = .q3_k
        case .q2_k: self = .q2_k
        case .q4_k, .q5_k: self = .q4_k
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl: return nil
        }
    }

    /// The level of the scale of sub-block `group`.
    func scale(_ block: UnsafeBufferPointer<UInt8>, _ group: Int) -> Int {
        switch self {
        case .q6_k: Int(Int8(bitPattern: block[192 + group]))
        case .q3_k:
            Int(block[96 + group % 8] >> UInt8(group / 8 * 4) & 15)
                | Int(block[104 + group % 4] >> UInt8(group / 4 * 2) & 3) << 4 - 32
        case .q2_k: Int(block[group] & 15)
        case .q4_k:
            group < 4
                ? Int(block[4 + group] & 63)
                : Int(block[8 + group] & 15) | Int(block[group] >> 6) << 4
        }
    }

    /// The level of the minimum of sub-block `group`; 0 where the type has none.
    func minimum(_ block: UnsafeBufferPointer<UInt8>, _ group: Int) -> Int {
        switch self {
        case .q6_k, .q3_k: 0
        case .q2_k: Int(block[group] >> 4)
        case .q4_k:
            group < 4
                ? Int(block[8 + group] & 63)
                : Int(block[8 + group] >> 4) | Int(block[4 + group] >> 6) << 4
        }
    }

    /// Writes the levels of all sub-blocks into `block`, whose bytes of levels are zero.
    func write(
        scales: UnsafeBufferPointer<Int8>, minimums: UnsafeBufferPointer<UInt8>,
        into block: UnsafeMutableBufferPointer<UInt8>
    ) {
        for (group, scale) in scales.enumerated() {
            let level = UInt8(bitPattern: scale)
            switch self {
            case .q6_k: block[192 + group] = level
            case .q3_k:
                block[96 + group % 8] |= ((level &+ 32) & 15) << UInt8(group / 8 * 4)
                block[104 + group % 4] |= ((level &+ 32) >> 4) << UInt8(group / 4 * 2)
            case .q2_k: block[group] = level | minimums[group] << 4
            case .q4_k where group < 4:
                block[4 + group] |= level
                block[8 + group] |= minimums[group]
            case .q4_k:
                block[8 + group] = level & 15 | minimums[group] << 4
                block[group] |= (level >> 4) << 6
                block[4 + group] |= (minimums[group] >> 4) << 6
            }
        }
    }
}
