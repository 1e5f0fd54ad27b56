internal import HTTPTypes

/// Decides whether a request is let in: by its Host, its Origin, and the token.
struct AccessControl: Sendable {
    private let hosts: HostRule
    private let token: TokenFile
    private let refusals: RefusalLog

    init(hosts: HostRule, token: TokenFile, refusals: RefusalLog) {
        self.hosts = hosts
        self.token = token
        self.refusals = refusals
    }

    /// Checks what every request must have, whatever it asks for.
    ///
    /// - Throws: 400 without a Host or with two, 403 for a foreign Host or Origin.
    func checkOrigin(of head: HTTPRequest) throws(Problem) {
        // The first Host became the authority; what is left as a field is a second one.
        guard let authority = head.authority, head.headerFields[.secondHost] == nil else {
            refusals.note(.malformed)
            throw Problem(.badRequest, "A request has one Host.")
        }
        guard hosts.allows(authority: authority) else {
            refusals.note(.host, authority)
            throw Problem(.forbidden, "This Host is not one of this service's names; use the address it listens on.")
        }
        let origins = head.headerFields[values: .origin]
        if let foreign = origins.first(where: { !hosts.allows(origin: $0, authority: authority) }) {
            refusals.note(.origin, foreign)
            throw Problem(.forbidden, "Pages of another origin may not use this service.")
        }
    }

    /// Checks whether the request may have what it asks for.
    ///
    /// - Throws: 401 without the right token, 403 where the service has none to compare with.
    func check(_ access: Route.Access, of head: HTTPRequest) throws(Problem) {
        switch access {
        case .page: return
        case .read: if hosts.isLoopback { return }
        case .change: break
        }
        let subject = access == .change ? "Changes" : "Requests to an address that is not loopback"
        switch token.current {
        case .none:
            refusals.note(.noToken)
            throw Problem(.forbidden, "\(subject) need a token, and none is configured; set http.token-file.")
        case .refused(let reason):
            refusals.note(.noToken)
            throw Problem(.forbidden, "\(subject) need the token, and \(reason).")
        case .bytes(let token):
            guard let presented = Self.bearer(head), TokenFile.isEqual(presented, token) else {
                refusals.note(.token)
                throw Problem(
                    .unauthorized, "\(subject) need the header Authorization: Bearer with the token.",
                    headers: [.wwwAuthenticate: "Bearer realm=\"fettle\""])
            }
        }
    }

    private static func bearer(_ head: HTTPRequest) -> [UInt8]? {
        let values = head.headerFields[values: .authorization]
        guard values.count == 1, let value = values.first else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return Array(parts[1].utf8.drop { $0 == UInt8(ascii: " ") })
    }
}
