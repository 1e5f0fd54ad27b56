/// Why tuning ended without a plan: one line that names what is wrong and the remedy.
package struct TuningError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// A file, a text or an option is not what it should be.
        case badInput
        /// No plan keeps the profile's goals; the message says which and by how much each would have to give.
        case infeasible
        /// The profile asks for something that does not exist yet.
        case unsupported
        /// The score store or the disk refused.
        case systemFailure
        /// Stopped by the caller; running again goes on from the store.
        case cancelled
    }

    package var code: Code
    /// The file, constraint or group; empty for the whole run.
    package var place: String
    /// What was found, and what to do about it.
    package var message: String

    /// An error at `place`.
    package init(_ code: Code, place: String = "", _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { place.isEmpty ? message : "\(place): \(message)" }
}
