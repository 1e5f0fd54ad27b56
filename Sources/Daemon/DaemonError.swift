/// Why the daemon, or something that it was asked to do, cannot go on: one line that names place and remedy.
package struct DaemonError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// Another daemon works in the state directory.
        case alreadyRunning
        /// The database of jobs cannot be read or written.
        case store
        /// The system refused: no process, no file, no permission.
        case system
        /// The configuration asks for what cannot be.
        case badInput
    }

    package var code: Code
    /// A path, or what was at work.
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
