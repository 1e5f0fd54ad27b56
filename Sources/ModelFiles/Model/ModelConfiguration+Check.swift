extension ModelConfiguration {
    /// The largest length of an axis that is believed; products of three stay far inside 64 bits.
    private static let mostLength = 1 << 24
    private static let mostLayers = 1 << 14

    /// Holds the numbers against each other and against limits that keep every later product from overflowing.
    ///
    /// - Throws: `malformed` or `unsupported`, naming the number, as one of `file`.
    func check(file: String) throws(ModelError) {
        let lengths = [
            ("vocabulary", vocabulary), ("width", width), ("feed-forward width", feedForward), ("heads", heads),
            ("key/value heads", keyValueHeads), ("head width", headWidth),
        ]
        for (name, length) in lengths where !(1...Self.mostLength).contains(length) {
            throw ModelError(
                .malformed, file: file, place: name, "is \(length); 1 to \(Self.mostLength) is possible")
        }
        guard (1...Self.mostLayers).contains(layers) else {
            throw ModelError(
                .malformed, file: file, place: "layers", "are \(layers); 1 to \(Self.mostLayers) are possible")
        }
        guard (1...Int(Int32.max)).contains(context) else {
            throw ModelError(.malformed, file: file, place: "context", "is \(context) tokens; it must be positive")
        }
        if let window, !(1...Int(Int32.max)).contains(window) {
            throw ModelError(.malformed, file: file, place: "sliding window", "is \(window); it must be positive")
        }
        guard heads * headWidth <= Self.mostLength else {
            throw ModelError(
                .malformed, file: file, place: "heads",
                "are \(heads) of width \(headWidth), over \(Self.mostLength) together")
        }
        guard heads % keyValueHeads == 0 else {
            throw ModelError(
                .malformed, file: file, place: "heads",
                "are \(heads), not a multiple of the \(keyValueHeads) key/value heads")
        }
        guard headWidth % 2 == 0 else {
            throw ModelError(
                .unsupported, file: file, place: "head width", "is \(headWidth); rotary pairs need an even one")
        }
        guard normEpsilon.isFinite, normEpsilon >= 0, normEpsilon < 1 else {
            throw ModelError(.malformed, file: file, place: "norm epsilon", "is \(normEpsilon); it must be 0 to 1")
        }
        guard rotaryBase.isFinite, rotaryBase > 0 else {
            throw ModelError(.malformed, file: file, place: "rotary base", "is \(rotaryBase); it must be positive")
        }
        if let divisors = rotaryDivisors {
            guard divisors.count == headWidth / 2, divisors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
                throw ModelError(
                    .malformed, file: file, place: "rotary divisors",
                    "must be \(headWidth / 2) positive numbers, one for each pair of a head")
            }
        }
    }
}
