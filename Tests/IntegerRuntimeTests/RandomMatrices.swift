import Compute
import Quantization

/// Matrices and inputs of every shape and kind, a function of the seed.
struct RandomMatrices {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func element<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    mutating func number(_ range: ClosedRange<Float>) -> Float {
        range.lowerBound + (range.upperBound - range.lowerBound) * Float(random.unit())
    }

    /// Codes at random, all 0, or all at the maximum; scales of both signs; points, minimums or codebooks at random.
    mutating func matrix(rows: Int, columns: Int, bits: Int, group: Int, kind: Kind) -> QuantizedMatrix {
        let top = UInt8((1 << bits) - 1)
        let style = element([0, 1, 2, 2, 2])
        let codes = (0..<rows * columns).map { _ in
            style == 0 ? 0 : style == 1 ? top : UInt8.random(in: 0...top, using: &random)
        }
        let slots = rows * (columns / group)
        let halves = { (random: inout SeededGenerator) in
            Float16((Float(random.unit()) - 0.5) * 0.1).bitPattern
        }
        var scales = QuantizedMatrix.Scales.float16((0..<slots).map { _ in halves(&random) })
        var offsets = QuantizedMatrix.Offsets.constant(1 << (bits - 1))
        var codebooks: [Int8] = []
        var format = Format.block(.q4_0)
        switch kind {
        case .uniform: break
        case .tensorScale:
            format = .grid(GridFormat(.uniform, bits: bits, .tensor))
            scales = .float16([halves(&random)])
        case .zeroPoints: offsets = .zeroPoints((0..<slots).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .minimums:
            offsets = .minimums((0..<slots).map { _ in number(-1...1) })
            scales = .float32((0..<slots).map { _ in number(-0.1...0.1) })
        case .floatScales: scales = .float32((0..<slots).map { _ in number(-0.1...0.1) })
        case .codebook, .blockCodebooks:
            offsets = .constant(0)
            let count = kind == .codebook ? 1 : (rows + 15) / 16
            codebooks = (0..<count << bits).map { _ in Int8.random(in: -128...127, using: &random) }
        }
        return QuantizedMatrix(
            format: format, rows: rows, columns: columns, bits: bits, group: group, codes: codes, scales: scales,
            offsets: offsets, codebooks: codebooks)
    }

    enum Kind: CaseIterable {
        case uniform, tensorScale, zeroPoints, minimums, floatScales, codebook, blockCodebooks
    }

    /// Inputs that are all extremes (every int8 becomes -127 or 127), zeros, or spread, with an outlier here and there.
    mutating func inputs(rows: Int, columns: Int) -> Matrix {
        let style = Int.random(in: 0..<4, using: &random)
        let values = (0..<rows * columns).map { _ -> Float in
            switch style {
            case 0: Bool.random(using: &random) ? 3 : -3
            case 1: Int.random(in: 0..<8, using: &random) == 0 ? number(-1...1) : 0
            default: number(-1...1) * (Int.random(in: 0..<64, using: &random) == 0 ? 100 : 1)
            }
        }
        return Matrix(rows: rows, columns: columns, values: values)
    }
}
