internal import NIOCore

/// How much a client may take.
enum HTTPLimits {
    /// Bytes of a request's body.
    static let body = 64 << 10
    /// Bytes of all header fields of a request, and of its target.
    static let header = 16 << 10
    static let headerFields = 64
    /// Connections at the same time; more wait in the kernel's queue.
    static let connections = 512
    /// Clients of event streams at the same time.
    static let eventClients = 256
    /// From the opening of a connection to the end of its first request's header.
    static let headTime = TimeAmount.seconds(10)
    /// From the end of a header to the end of its body.
    static let bodyTime = TimeAmount.seconds(20)
    /// A connection without a request.
    static let idleTime = TimeAmount.seconds(30)
    /// A client that takes nothing of what it asked for.
    static let stallTime = TimeAmount.seconds(60)
    /// How long a refused body is still drained, so that the client can read the refusal.
    static let lingerTime = TimeAmount.milliseconds(500)
}
