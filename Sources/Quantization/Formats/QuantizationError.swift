/// What is wrong with a format's name, a matrix or packed bytes: the place, what was found, and what to do.
package struct QuantizationError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The text names no format, activation or refinement.
        case unknownName
        /// The name is right, but this version of Fettle does not have it yet.
        case notAvailable
        /// The format cannot hold a matrix of this shape.
        case illegalShape
        /// A weight or an importance is not a usable number.
        case unusableValue
        /// The parts of a matrix or its packed bytes do not fit together.
        case malformed
    }

    package var code: Code
    /// What it is about: a SPEC, or a position in a matrix.
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
