import Compute
import Quantization

extension QuantizedMatrix {
    /// A matrix of random codes, scales, zero points and codebooks.
    static func random(_ format: GridFormat, rows: Int, columns: Int, seed: UInt64) -> QuantizedMatrix {
        var generator = SeededGenerator(seed: seed)
        let group = format.group(columns: columns)
        let slots = rows * columns / group
        let hasTable = format.grid == .codebook || format.fixedPoints != nil
        let tables = hasTable ? (format.rowBlockCodebooks ? (rows + 15) / 16 : 1) : 0
        return QuantizedMatrix(
            format: .grid(format), rows: rows, columns: columns, bits: format.bits, group: group,
            codes: generator.codes(rows * columns, bits: format.bits),
            scales: .float16(generator.halves(format.granularity == .tensor ? 1 : slots)),
            offsets: format.grid == .affine
                ? .zeroPoints(generator.codes(slots, bits: 8))
                : .constant(format.grid == .uniform ? 1 << (format.bits - 1) : 0),
            codebooks: generator.entries(tables << format.bits))
    }

    /// A matrix with the parts that a block type is decoded to.
    static func random(_ format: BlockFormat, rows: Int, columns: Int, seed: UInt64) -> QuantizedMatrix {
        var generator = SeededGenerator(seed: seed)
        let group = [.q6_k, .q3_k, .q2_k].contains(format) ? 16 : 32
        let slots = rows * columns / group
        let isTwoLevel = [.q4_k, .q5_k, .q6_k, .q3_k, .q2_k].contains(format)
        let hasMinimums = [.q4_1, .q5_1, .q4_k, .q5_k, .q2_k].contains(format)
        return QuantizedMatrix(
            format: .block(format), rows: rows, columns: columns, bits: format.bits, group: group,
            codes: generator.codes(rows * columns, bits: format.bits),
            scales: isTwoLevel ? .float32(generator.floats(slots)) : .float16(generator.halves(slots)),
            offsets: hasMinimums
                ? .minimums(generator.floats(slots)) : .constant(format == .iq4_nl ? 0 : 1 << (format.bits - 1)),
            codebooks: generator.entries(format == .iq4_nl ? 16 : 0))
    }
}

extension SeededGenerator {
    fileprivate mutating func codes(_ count: Int, bits: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() & (1 << bits - 1)) }
    }

    fileprivate mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float(unit() - 0.5) } }

    fileprivate mutating func halves(_ count: Int) -> [UInt16] { floats(count).map { Float16($0).bitPattern } }

    fileprivate mutating func entries(_ count: Int) -> [Int8] {
        (0..<count).map { _ in Int8.random(in: -127...127, using: &self) }
    }
}
