internal import HTTPTypes

/// Names of header fields that HTTPTypes does not have.
extension HTTPField.Name {
    /// HTTPTypes takes the first Host for the authority and hides its name; a second one is still a field.
    static let secondHost = literal("Host")
    /// Where a client of events stood when it was cut off.
    static let lastEventID = literal("Last-Event-ID")
    static let referrerPolicy = literal("Referrer-Policy")
    /// Keeps nginx from holding events back.
    static let accelBuffering = literal("X-Accel-Buffering")

    /// A name that is known to be one; the fallback is never reached.
    private static func literal(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .via }
}
