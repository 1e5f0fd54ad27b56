/// Where the daemon answers, such as `http://127.0.0.1:7077`.
package struct ServiceURL: Sendable, Equatable, CustomStringConvertible {
    package var address: ListenAddress

    /// Where the service that listens on `address` can be reached from this machine: an address that stands for every
    /// address of the machine is none to connect to.
    package init(_ address: ListenAddress) {
        self.address = address
        switch address.host {
        case "0.0.0.0": self.address.host = "127.0.0.1"
        case "::": self.address.host = "::1"
        default: break
        }
    }

    /// Reads `http://HOST[:PORT][/]`; nil where it is something else.
    package init?(_ text: String) {
        guard text.lowercased().hasPrefix("http://") else { return nil }
        var rest = String(text.dropFirst(7))
        if rest.hasSuffix("/") { rest.removeLast() }
        guard let address = ListenAddress(rest) ?? ListenAddress("\(rest):80"), address.port > 0 else { return nil }
        self.init(address)
    }

    package var description: String { "http://\(address)" }
}
