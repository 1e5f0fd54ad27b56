internal import Foundation
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// Serves the HTTP interface of a running service until it is shut down.
package struct HTTPService: Service {
    private let listen: ListenAddress
    private let state: String
    private let api: API
    private let control: any ServiceControl
    private let logger: Logger
    private let onListening: @Sendable (ListenAddress) -> Void

    /// Name of the file in the state directory that says where the service listens, for the client commands.
    package static let addressFile = "http-address"
    /// What answers may still take once the service is told to stop.
    private static let drainTime = Duration.seconds(2)

    /// - Parameters:
    ///   - configuration: Where to listen and where the token is.
    ///   - bundles: The directory of bundles.
    ///   - state: The state directory.
    ///   - control: The engine.
    ///   - version: The program's version.
    ///   - onListening: Told the address once requests are taken; its port is never 0.
    package init(
        _ configuration: DaemonConfiguration.HTTP, bundles: String, state: String, control: any ServiceControl,
        version: String, logger: Logger, onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) {
        listen = configuration.listen
        self.state = state
        self.control = control
        self.logger = logger
        self.onListening = onListening
        let run = String(UInt64.random(in: .min ... .max), radix: 36)
        api = API(
            control: control, bundles: bundles, listening: configuration.listen.host,
            tokenFile: configuration.tokenFile, version: version, run: run, logger: logger)
    }

    /// Serves.
    ///
    /// - Throws: Where the address cannot be listened on.
    package func run() async throws {
        let api = api
        defer { try? FileManager.default.removeItem(atPath: addressPath) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await api.ring.follow(control, documents: api.documents) }
            group.addTask { await api.ring.beat() }
            group.addTask {
                // Streams of events never end by themselves; whatever else has not ended by then is cut off.
                try? await gracefulShutdown()
                api.ring.close()
                try await Task.sleep(for: Self.drainTime)
                throw CancellationError()
            }
            group.addTask {
                do {
                    try await application.run()
                } catch let error where !(error is CancellationError) {
                    throw DaemonError(.system, place: "http.listen \(listen)", "cannot be listened on: \(error)")
                }
                throw Stopped()
            }
            do {
                while try await group.next() != nil {}
            } catch is Stopped {
            } catch is CancellationError {
            }
            group.cancelAll()
        }
    }

    /// Ends the group once the server has ended.
    private struct Stopped: Error {}

    private var addressPath: String { "\(state)/\(Self.addressFile)" }

    private var application: some ApplicationProtocol {
        var logger = logger
        // Its own lines about each connection say nothing that ours do not.
        logger.logLevel = max(logger.logLevel, .warning)
        let refusals = api.refusals
        return Application(
            responder: api.responder,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionLimits(refusals: refusals)],
                    idleTimeout: HTTPLimits.idleTime,
                    httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                        maxHeaderFieldSize: HTTPLimits.header, maxHeaderListSize: HTTPLimits.header,
                        maxHeaderFieldCount: HTTPLimits.headerFields))),
            configuration: ApplicationConfiguration(
                address: .hostname(listen.host, port: listen.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(HTTPLimits.connections, logger: logger)),
            onServerRunning: { channel in
                var bound = listen
                bound.port = channel.localAddress?.port ?? listen.port
                announce(bound)
            },
            logger: logger)
    }

    private func announce(_ address: ListenAddress) {
        do {
            try "http://\(address)\n".write(toFile: addressPath, atomically: true, encoding: .utf8)
        } catch {
            logger.warning("HTTP: \(addressPath) cannot be written; client commands need --url http://\(address)")
        }
        logger.notice("HTTP: listening on http://\(address)")
        onListening(address)
    }
}
