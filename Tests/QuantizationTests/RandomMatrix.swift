import Foundation
import Compute
import Quantization

/// Where the numbers of a random matrix come from.
enum Distribution {
    case normal
    /// Student's t with three degrees of freedom: rare large weights, as in the input of a down projection.
    case heavyTailed
}

extension SeededGenerator {
    /// A standard normal number (Box and Muller, 1958).
    mutating func normal() -> Double {
        (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit())
    }

    /// A number of `distribution` with scale 1.
    mutating func number(_ distribution: Distribution) -> Double {
        switch distribution {
        case .normal: return normal()
        case .heavyTailed:
            let squares = (0..<3).map { _ in normal() }.reduce(0) { $0 + $1 * $1 }
            return normal() / (squares / 3).squareRoot()
        }
    }
}

extension Matrix {
    /// A matrix of random numbers whose scale, about 0.05, differs from row to row.
    static func random(rows: Int, columns: Int, _ distribution: Distribution = .normal, seed: UInt64) -> Matrix {
        var generator = SeededGenerator(seed: seed)
        var result = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            let scale = 0.05 * (0.5 + generator.unit())
            for column in 0..<columns {
                result.values[row * columns + column] = Float(scale * generator.number(distribution))
            }
        }
        return result
    }
}
