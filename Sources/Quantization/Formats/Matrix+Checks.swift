package import Compute

extension Matrix {
    /// Throws where a weight is not a number or beyond half precision (65504), naming the first position.
    package func checkHalfPrecision() throws(QuantizationError) {
        let largest = Float(Float16.greatestFiniteMagnitude)
        // One pass that vectorises; the position is looked for only after it has failed.
        let sound = values.withUnsafeBufferPointer { $0.reduce(into: true) { $0 = $0 && abs($1) <= largest } }
        guard !sound, let index = values.firstIndex(where: { !(abs($0) <= largest) }) else { return }
        throw QuantizationError(
            .unusableValue, place: "weight at row \(index / columns), column \(index % columns)",
            "\(values[index]) is not a number within half precision; the model file is damaged or not meant for float16"
        )
    }
}
