/// Why the daemon did not do what a client command asked.
package struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Nobody answers there.
        case unreachable
        /// It answered, with this status of 400 or more.
        case refused(Int)
        /// What answered is not the daemon.
        case malformed
    }

    package var code: Code
    /// Where the daemon was looked for.
    package var address: String
    /// What was wrong, and what to do about it.
    package var message: String

    package init(_ code: Code, address: String, _ message: String) {
        self.code = code
        self.address = address
        self.message = message
    }

    package var description: String { "\(address): \(message)" }
}
