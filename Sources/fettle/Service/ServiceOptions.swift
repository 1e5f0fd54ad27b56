internal import ArgumentParser
internal import Daemon
internal import Foundation

/// Where the client commands find the daemon and its token.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's address; default is the configuration's, else 127.0.0.1:7077.", valueName: "http://host:port")
    )
    var url: String?

    @Option(help: ArgumentHelp("The daemon's configuration, to find it and its token by.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A file with the token; default is FETTLE_TOKEN, else the configuration's.", valueName: "file"))
    var tokenFile: String?

    /// A client for the daemon that these options mean.
    func client() throws -> DaemonClient {
        let environment = ProcessInfo.processInfo.environment
        let configuration = try config.map { try DaemonConfiguration.load($0) }
        return DaemonClient(
            try address(configuration, environment), token: try token(configuration, environment))
    }

    private func address(_ configuration: DaemonConfiguration?, _ environment: [String: String]) throws -> ServiceURL {
        if let text = url ?? (configuration == nil ? environment["FETTLE_URL"] : nil) {
            guard let url = ServiceURL(text) else {
                throw ValidationError("\"\(text)\" is no address of a daemon; write http://HOST:PORT.")
            }
            return url
        }
        guard let configuration else { return try Self.standard }
        // The running daemon says where it listens: port 0 is the system's choice.
        let announced = try? String(
            contentsOfFile: "\(configuration.state)/\(HTTPService.addressFile)", encoding: .utf8)
        if let text = announced?.trimmingCharacters(in: .whitespacesAndNewlines), let url = ServiceURL(text) {
            return url
        }
        guard let http = configuration.http, http.listen.port > 0 else {
            throw ClientError(
                .unreachable, address: config ?? "",
                configuration.http == nil
                    ? "the configuration has no http.listen: the daemon serves nothing"
                    : "the daemon is not running: it chooses its port when it starts")
        }
        return ServiceURL(http.listen)
    }

    private static var standard: ServiceURL {
        get throws {
            guard let url = ServiceURL("http://127.0.0.1:7077") else { throw ValidationError("Write --url.") }
            return url
        }
    }

    private func token(_ configuration: DaemonConfiguration?, _ environment: [String: String]) throws -> String? {
        if let tokenFile {
            guard let token = Self.word(tokenFile) else {
                throw ClientError(.unreachable, address: tokenFile, "no token can be read there; check --token-file")
            }
            return token
        }
        if let token = environment["FETTLE_TOKEN"], !token.isEmpty { return token }
        // Reading needs no token, so that a file for others only is no error.
        return configuration?.http?.tokenFile.flatMap(Self.word)
    }

    private static func word(_ file: String) -> String? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        let word = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return word.isEmpty || word.contains { $0.isWhitespace } ? nil : word
    }
}
