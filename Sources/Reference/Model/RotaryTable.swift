internal import Foundation
internal import ModelFiles

/// Cosines and sines of the rotary embedding (arXiv 2104.09864): the angle of pair i at position p is
/// p * base^(-2 i / headWidth) / divisor[i]. Computed in double, kept in float32.
struct RotaryTable: Sendable {
    /// headWidth / 2.
    let pairs: Int
    /// positions x pairs.
    let cosines: [Float]
    let sines: [Float]

    init(positions: Int, configuration: ModelConfiguration) {
        let pairs = configuration.headWidth / 2
        let frequencies = (0..<pairs).map { pair in
            pow(Double(configuration.rotaryBase), -2 * Double(pair) / Double(configuration.headWidth))
                / Double(configuration.rotaryDivisors?[pair] ?? 1)
        }
        let angles = (0..<positions).flatMap { position in frequencies.map { Double(position) * $0 } }
        self.pairs = pairs
        cosines = angles.map { Float(cos($0)) }
        sines = angles.map { Float(sin($0)) }
    }
}
