internal import Bundles
package import DeviceProfiles
@preconcurrency internal import Dispatch
internal import Foundation
internal import Logging
internal import ServiceLifecycle

/// The daemon as a process: engine, signals, and the services around the engine.
package struct DaemonProcess {
    private let parts: Engine.Parts
    private let configuration: DaemonConfiguration
    private let logger: Logger

    /// A daemon on the configuration file at `path`.
    ///
    /// - Parameters:
    ///   - library: Where profiles are looked up by name.
    ///   - executable: The `fettle` binary, for children.
    /// - Throws: The first mistake of the configuration, with its place.
    package init(configuration path: String, library: ProfileLibrary, executable: String) throws(ProfileError) {
        let settings = LineLogHandler.Settings()
        configuration = try DaemonConfiguration.load(path)
        settings.adopt(configuration.log)
        logger = Logger(label: "fettle") { _ in LineLogHandler(settings) }
        parts = Engine.Parts(
            configurationPath: path, library: library, executable: executable, logger: logger,
            adopt: { settings.adopt($0.log) })
    }

    /// Runs until SIGTERM or SIGINT. SIGHUP reads the configuration anew.
    ///
    /// - Throws: `DaemonError` where the daemon cannot start.
    package func run() async throws {
        let engine = try Engine(parts, configuration: configuration)
        // The last is stopped first: no request is taken while the engine puts its work away.
        let services: [any Service] = [engine] + (configuration.http.map { [http($0, engine)] } ?? [])
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: services, logger: logger))
        let signals = [
            Self.onSignal(SIGTERM) { await group.triggerGracefulShutdown() },
            Self.onSignal(SIGINT) { await group.triggerGracefulShutdown() },
            Self.onSignal(SIGHUP) { await engine.requestReload() },
        ]
        defer { signals.forEach { $0.cancel() } }
        try await group.run()
    }

    private func http(_ http: DaemonConfiguration.HTTP, _ engine: Engine) -> HTTPService {
        HTTPService(
            http, bundles: configuration.bundles, state: configuration.state, control: engine,
            version: BundleManifest.program, logger: logger)
    }

    private static func onSignal(
        _ number: Int32, _ body: @escaping @Sendable () async -> Void
    ) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "fettle.signal"))
        source.setEventHandler { Task { await body() } }
        source.activate()
        return source
    }
}
