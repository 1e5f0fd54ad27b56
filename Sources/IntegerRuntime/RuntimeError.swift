/// Why the runtime refuses weights, tokens or a context: the place, what was found, and what to do.
package struct RuntimeError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The activation cannot feed the format, or this version of Fettle does not run it yet.
        case unsupported
        /// A tensor is missing or has another shape than the configuration says.
        case malformedWeights
        /// A token id is outside the vocabulary.
        case tokenOutOfRange
        /// More tokens than the cache has room for.
        case contextOverflow
        /// The system gives no more memory.
        case outOfMemory
    }

    package var code: Code
    /// What it is about: a tensor's name, a format, or a position.
    package var place: String
    /// What was found, and what to do about it.
    package var message: String

    /// An error at `place`.
    package init(_ code: Code, place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}
