internal import Glibc

/// Which names of this service a request may bear in Host: against pages that point a name of their own at this machine
/// (DNS rebinding).
struct HostRule: Sendable {
    /// Whether only this machine can reach the service.
    let isLoopback: Bool
    private let names: Set<String>
    /// A service on every address of the machine is reached by addresses that it cannot list; no page can point a name at
    /// itself by an address.
    private let takesAddresses: Bool

    /// - Parameter host: The address that is listened on, as configured.
    init(listening host: String) {
        let host = host.lowercased()
        let address = Self.isAddress(host)
        isLoopback = host == "localhost" || host == "::1" || (host.hasPrefix("127.") && address)
        takesAddresses = !isLoopback && ["0.0.0.0", "::"].contains(host)
        var names: Set<String> = [host, "localhost", "127.0.0.1", "::1"]
        if takesAddresses {
            var name = [CChar](repeating: 0, count: 256)
            if gethostname(&name, name.count - 1) == 0 {
                names.insert(
                    String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased())
            }
        }
        self.names = names
    }

    /// Whether `authority`, the value of Host, names this service. The port may be a proxy's own.
    func allows(authority: String) -> Bool {
        guard let host = Self.host(of: authority)?.lowercased() else { return false }
        return names.contains(host) || takesAddresses && Self.isAddress(host)
    }

    /// Whether `origin` is the page that `authority` serves.
    func allows(origin: String, authority: String) -> Bool {
        let origin = origin.lowercased()
        return ["http://", "https://"].contains { origin == $0 + authority.lowercased() }
    }

    /// The host of `HOST[:PORT]`; an IPv6 address without its brackets.
    private static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]"), isPort(authority[authority.index(after: end)...]) else {
                return nil
            }
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        let host = authority.prefix { $0 != ":" }
        return isPort(authority[host.endIndex...]) && !host.isEmpty ? String(host) : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) })
    }

    private static func isAddress(_ host: String) -> Bool {
        var address = in6_addr()
        var short = in_addr()
        return inet_pton(AF_INET, host, &short) == 1 || inet_pton(AF_INET6, host, &address) == 1
    }
}
