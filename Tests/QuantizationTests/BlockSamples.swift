import Compute
import Foundation
import Quantization

/// Matrices and errors that the block tests share.
enum BlockSamples {
    /// Positive numbers over four orders of magnitude, as second moments of a layer's inputs are.
    static func importance(columns: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<columns).map { _ in Float(pow(10, 4 * generator.unit() - 3)) }
    }

    /// sum_j importance_j (w_j - decoded_j)^2, in double precision.
    static func error(_ weights: Matrix, _ decoded: Matrix, importance: [Float]) -> Double {
        var sum = 0.0
        for (index, weight) in weights.values.enumerated() {
            let rest = Double(weight) - Double(decoded.values[index])
            sum += Double(importance[index % weights.columns]) * rest * rest
        }
        return sum
    }

    /// A matrix of little-endian float32 numbers in Tests/Fixtures/blocks/encode.
    static func fixture(_ name: String, columns: Int) throws -> Matrix {
        let bytes = try data("\(name).floats")
        let values = bytes.withUnsafeBytes { all in
            (0..<bytes.count / 4).map { all.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        return Matrix(rows: values.count / columns, columns: columns, values: values)
    }

    /// A file of Tests/Fixtures/blocks/encode.
    static func data(_ name: String) throws -> Data {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: tests.appending(path: "Fixtures/blocks/encode/\(name)"))
    }
}
