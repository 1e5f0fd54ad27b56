import Foundation
import Compute
import Quantization

extension QuantizedMatrix {
    /// Sum over rows i and columns j of row importance(i) * importance(j) * (weight - quantized weight)^2, in double.
    func error(of weights: Matrix, importance: [Float]? = nil, rowImportance: [Float]? = nil) -> Double {
        let own = dequantized()
        var total = 0.0
        for row in 0..<rows {
            var sum = 0.0
            for column in 0..<columns {
                let index = row * columns + column
                let residual = Double(weights.values[index]) - Double(own.values[index])
                sum += Double(importance?[column] ?? 1) * residual * residual
            }
            total += Double(rowImportance?[row] ?? 1) * sum
        }
        return total
    }
}

extension GridQuantizer {
    /// The error that a format leaves.
    static func error(
        _ name: String, of weights: Matrix, importance: [Float]? = nil, clip: Bool = true
    ) throws -> Double {
        try quantize(weights, as: grid(name), importance: importance, clip: clip, pool: ThreadPool(threads: 2))
            .error(of: weights, importance: importance)
    }

    /// The grid format of that name.
    static func grid(_ name: String) throws -> GridFormat {
        guard case .grid(let format) = try Format(parsing: name) else { throw NotAGrid() }
        return format
    }

    struct NotAGrid: Error {}
}

extension SeededGenerator {
    /// Second moments of inputs as models have them: log-normal, a factor of e from one column to the next.
    mutating func importance(_ count: Int) -> [Float] { (0..<count).map { _ in Float(exp(normal())) } }
}
