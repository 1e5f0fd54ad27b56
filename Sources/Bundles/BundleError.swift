/// Why a bundle cannot be written, read or trusted: one line that names file, place and remedy.
package struct BundleError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// Not a bundle, or a damaged one.
        case malformed
        /// The system refused to write: disk full, no permission.
        case unwritable
    }

    package var code: Code
    /// The file or directory.
    package var file: String
    /// What was found, and what to do about it.
    package var message: String

    /// An error about `file`.
    package init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = message
    }

    package var description: String { "\(file): \(message)" }
}
