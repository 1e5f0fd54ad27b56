internal import Logging
internal import Synchronization

/// Says in the log what was refused: the first of a kind at once, then at most a line a minute with the number since.
final class RefusalLog: Sendable {
    /// What a client did that it may not do. The words are a metric's label.
    enum Kind: String, Sendable, CaseIterable {
        case host, origin, token
        case noToken = "no_token"
        case malformed
        case tooLarge = "too_large"
        case tooSlow = "too_slow"
        case notReading = "not_reading"
        case tooManyClients = "too_many_clients"
    }

    private struct Count {
        var total = 0
        var unsaid = 0
        var said: ContinuousClock.Instant?
    }

    private let counts = Mutex<[Kind: Count]>([:])
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant

    init(logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }) {
        self.logger = logger
        self.now = now
    }

    /// Counts a refusal and logs it where it is time to.
    ///
    /// - Parameter detail: What the client sent; made harmless for a log here.
    func note(_ kind: Kind, _ detail: String = "") {
        let now = now()
        let unsaid: Int? = counts.withLock { counts in
            counts[kind, default: Count()].total += 1
            counts[kind]?.unsaid += 1
            if let said = counts[kind]?.said, now - said < .seconds(60) { return nil }
            defer {
                counts[kind]?.said = now
                counts[kind]?.unsaid = 0
            }
            return counts[kind]?.unsaid
        }
        guard let unsaid else { return }
        let more = unsaid > 1 ? " (\(unsaid) since the last such line)" : ""
        let harmless = detail.isEmpty ? "" : ": \(Self.harmless(detail))"
        logger.warning("HTTP: refused, \(Self.sentence(kind))\(harmless)\(more)")
    }

    /// Refusals so far.
    var totals: [Kind: Int] { counts.withLock { $0.mapValues(\.total) } }

    private static func sentence(_ kind: Kind) -> String {
        switch kind {
        case .host: "a Host that is not this service's"
        case .origin: "a page of another Origin"
        case .token: "a missing or wrong token"
        case .noToken: "no token is configured"
        case .malformed: "a malformed request"
        case .tooLarge: "a body beyond \(HTTPLimits.body) bytes"
        case .tooSlow: "a request that came too slowly"
        case .notReading: "a client that does not read"
        case .tooManyClients: "more than \(HTTPLimits.eventClients) event clients"
        }
    }

    /// Printable ASCII, 80 characters at most: a log line must stay one line.
    static func harmless(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(80).map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" })
    }
}
