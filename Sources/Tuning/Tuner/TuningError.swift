/// Why tuning ends without a result: what it is about, what was found, and what to do.
package struct TuningError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// No plan keeps the profile's limits; `message` explains which limits conflict and by how much.
        case infeasible
        /// The profile or an option asks for something that this version does not do.
        case unsupported
        /// A model, text or option is not what it should be.
        case badInput
        /// The score store or another file cannot be read or written.
        case unwritable
        /// Stopped from outside. What was scored is kept.
        case cancelled
    }

    package var code: Code
    /// A profile's name, an option, a group or a file.
    package var place: String
    package var message: String

    /// An error about `place`.
    package init(_ code: Code, place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}
