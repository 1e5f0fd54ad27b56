/// What is wrong with an input file: the file, the place in it, what was found, and what to do.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The file or directory cannot be opened or read.
        case unreadable
        /// The bytes are not what the format says they should be.
        case malformed
        /// The file is sound, but holds something that Fettle does not handle.
        case unsupported
        /// A result cannot be written.
        case unwritable
    }

    package var code: Code
    /// Path of the file.
    package var file: String
    /// Where in it: a byte offset, a key or a tensor's name. Empty for the whole file.
    package var place: String
    /// What was found, and what to do about it.
    package var message: String

    /// An error at `place` in `file`.
    package init(_ code: Code, file: String, place: String = "", _ message: String) {
        self.code = code
        self.file = file
        self.place = place
        self.message = message
    }

    /// One line. Control characters, which a hostile name may hold, are spelled out; a long place is cut.
    package var description: String {
        let place = place.unicodeScalars.count > 200 ? String(place.prefix(200)) + "..." : place
        let text = place.isEmpty ? "\(file): \(message)" : "\(file): \(place): \(message)"
        var line = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                line += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
