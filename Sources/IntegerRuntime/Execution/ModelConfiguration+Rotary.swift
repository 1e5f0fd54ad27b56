#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif
internal import ModelFiles

extension ModelConfiguration {
    /// Radians that each pair of a head turns by from one position to the next: base^(-2i/width) / divisor.
    var rotaryFrequencies: [Double] {
        (0..<headWidth / 2).map { pair in
            let frequency = pow(Double(rotaryBase), -2 * Double(pair) / Double(headWidth))
            guard let divisors = rotaryDivisors, divisors.indices.contains(pair) else { return frequency }
            return frequency / Double(divisors[pair])
        }
    }
}
