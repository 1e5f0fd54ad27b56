/// What is wrong with the weights or tokens that the reference was given.
package struct ReferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Which tensor, sequence or position.
    package var place: String
    /// What was found, and what to do about it.
    package var message: String

    init(_ place: String, _ message: String) {
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}
