import Compute
import Quantization

/// A matrix product in plain Swift, written from the rule in IntegerKernels.h and from nothing else.
struct ProductOracle {
    let matrix: QuantizedMatrix
    let activation: Activation

    /// Rows of inputs to rows of outputs, in the order of operations that the kernels promise.
    func multiply(_ inputs: Matrix) -> Matrix {
        var result = Matrix(rows: inputs.rows, columns: matrix.rows)
        for token in 0..<inputs.rows {
            let parts = QuantizedRow.parts(of: Array(inputs[row: token]), activation)
            for row in 0..<matrix.rows {
                result.values[token * matrix.rows + row] = parts.dropFirst().reduce(product(row, parts[0])) {
                    $0 + product(row, $1)
                }
            }
        }
        return result
    }

    private func product(_ row: Int, _ input: QuantizedRow) -> Float {
        let segment = min(matrix.group, input.group)
        var sum: Float = 0
        for start in stride(from: 0, to: matrix.columns, by: segment) {
            let slot = row * (matrix.columns / matrix.group) + start / matrix.group
            let columns = start..<start + segment
            let inputSum = columns.reduce(0) { $0 + input.values[$1] }
            let products = columns.reduce(0) { $0 + point(row, $1, slot) * input.values[$1] }
            let inputScale = input.scales[start / input.group]
            sum.addProduct(Float(products), scale(slot) * inputScale)
            if case .minimums(let minimums) = matrix.offsets {
                sum.addProduct(minimums[slot] * inputScale, Float(inputSum))
            }
        }
        // Zero points count in parts of a step, and so do the products then.
        if case .zeroPoints = matrix.offsets { sum *= 1 / Float(parts) }
        return sum
    }

    /// Parts of a step that zero points count in: 16 up to 4 bits, then what a byte has room for.
    private var parts: Int { matrix.bits <= 4 ? 16 : 1 << (8 - matrix.bits) }

    /// What a weight is before scaling (and before its minimum).
    private func point(_ row: Int, _ column: Int, _ slot: Int) -> Int {
        let code = Int(matrix.codes[row * matrix.columns + column])
        let entries = 1 << matrix.bits
        if !matrix.codebooks.isEmpty {
            return Int(matrix.codebooks[(matrix.codebooks.count == entries ? 0 : row / 16 * entries) + code])
        }
        switch matrix.offsets {
        case .constant(let offset): return code - offset
        case .zeroPoints(let points): return parts * code - Int(points[slot])
        case .minimums: return code
        }
    }

    private func scale(_ slot: Int) -> Float {
        switch matrix.scales {
        case .float16(let values): Float(Float16(bitPattern: values[values.count == 1 ? 0 : slot]))
        case .float32(let values): values[values.count == 1 ? 0 : slot]
        }
    }
}

/// A row of activations in int8.
struct QuantizedRow {
    var values: [Int] = []
    var scales: [Float] = []
    let group: Int

    /// The int8 rows whose products add up to that of `row`: one, or of int16 the high halves and the low ones.
    static func parts(of row: [Float], _ activation: Activation) -> [QuantizedRow] {
        guard activation == .int16 else { return [QuantizedRow(row, activation)] }
        let amax = row.map(abs).max() ?? 0
        let isZero = amax < 0x1p-100
        let scale = isZero ? 0 : amax / 32512
        let numbers = row.map {
            Int(max(-32512, min(32512, ($0 * (isZero ? 0 : 32512 / amax)).rounded(.toNearestOrEven))))
        }
        let high = numbers.map { Int((Double($0) / 255).rounded()) }
        return [
            QuantizedRow(values: high, scale: 255 * scale),
            QuantizedRow(values: zip(numbers, high).map { $0 - 255 * $1 }, scale: scale),
        ]
    }

    private init(values: [Int], scale: Float) {
        self.values = values
        scales = [scale]
        group = values.count
    }

    init(_ row: [Float], _ activation: Activation) {
        switch activation {
        case .int8g32, .q8_0: group = 32
        case .int8g64: group = 64
        case .q8_k: group = 256
        default: group = row.count
        }
        for start in stride(from: 0, to: row.count, by: group) {
            let numbers = row[start..<start + group]
            let amax = numbers.map(abs).max() ?? 0
            var inverse: Float = 0
            var scale: Float = 0
            if amax >= 0x1p-100 {
                if activation == .q8_k {
                    let extreme = numbers.first { abs($0) == amax } ?? amax
                    inverse = -127 / extreme
                    scale = 1 / inverse
                } else {
                    inverse = 127 / amax
                    scale = amax / 127
                    if activation == .q8_0 { scale = Float(Float16(scale)) }
                }
            }
            scales.append(scale)
            values += numbers.map { Int(max(-127, min(127, ($0 * inverse).rounded(.toNearestOrEven)))) }
        }
    }
}
