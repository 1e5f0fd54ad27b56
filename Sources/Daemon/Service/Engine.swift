package import DeviceProfiles
package import Foundation
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// The daemon's heart: looks at models and profiles, keeps the queue in step with them, and has children work on it.
///
/// One loop does everything in turn, at least once a second: look, reconcile, start jobs, keep progress, beat. What
/// happens elsewhere (a file changes, a child ends, a user asks) only sets the loop going.
package actor Engine: Service {
    /// What an engine is made of.
    package struct Parts: Sendable {
        package var configurationPath: String
        package var library: ProfileLibrary
        /// The `fettle` binary, for children.
        package var executable: String
        package var policy: RetryPolicy
        package var manager: ServiceManager
        package var logger: Logger
        /// Called with every configuration that comes into force.
        package var adopt: @Sendable (DaemonConfiguration) -> Void
        /// The time of day; only what is written down depends on it.
        package var now: @Sendable () -> Date

        package init(
            configurationPath: String, library: ProfileLibrary, executable: String,
            policy: RetryPolicy = RetryPolicy(), manager: ServiceManager = ServiceManager(),
            logger: Logger = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() },
            adopt: @escaping @Sendable (DaemonConfiguration) -> Void = { _ in },
            now: @escaping @Sendable () -> Date = { Date() }
        ) {
            self.configurationPath = configurationPath
            self.library = library
            self.executable = executable
            self.policy = policy
            self.manager = manager
            self.logger = logger
            self.adopt = adopt
            self.now = now
        }
    }

    /// A job with a child.
    struct RunningJob {
        var job: Job
        let child: ChildProcess
        let log: JobLog
        /// When its progress was last kept.
        var recorded: ContinuousClock.Instant?
    }

    let parts: Parts
    let lock: StateLock
    let store: JobStore
    let watcher: ModelWatcher
    let watch: DirectoryWatch
    private let pulse: Pulse

    var configuration: DaemonConfiguration
    var profileSet = ProfileSet()
    var running: [Int64: RunningJob] = [:]
    /// Ends that the store could not take yet: a full disk must not make a job run again.
    var unrecorded: [Int64: JobEvent] = [:]
    var hub = EventHub()
    var stages: [String: DurationHistogram] = [:]
    var lastBeat: Date
    var isUp = false
    var isDraining = false

    var configurationSignature: String?
    var isReloadWanted = false
    var lastLook: ContinuousClock.Instant?
    var lastCleaning: ContinuousClock.Instant?
    var wanted: [JobRequest]?
    var troubles: [String: String] = [:]
    var storeTrouble: String?

    var logger: Logger { parts.logger }

    /// Takes the state directory of `configuration`, and opens what is in it.
    ///
    /// - Throws: `alreadyRunning` where another daemon has it; `store` and `system` with the reason.
    package init(_ parts: Parts, configuration: DaemonConfiguration) throws(DaemonError) {
        let pulse = Pulse()
        self.parts = parts
        self.configuration = configuration
        self.pulse = pulse
        lock = try StateLock(directory: configuration.state)
        store = try JobStore(path: "\(configuration.state)/jobs.sqlite", policy: parts.policy)
        watcher = ModelWatcher(
            store: store, probe: ModelProbe(executable: parts.executable, inherited: [lock.descriptor]),
            change: { pulse.beat() })
        watch = try DirectoryWatch { pulse.beat() }
        lastBeat = parts.now()
        configurationSignature = FileStatus(path: parts.configurationPath)?.signature
    }

    /// Works until it is told to shut down, then lets the children put away what they have.
    package func run() async throws {
        parts.adopt(configuration)
        try await recover()
        let ticks = Task { [pulse] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                pulse.beat()
            }
        }
        for await _ in pulse.beats.cancelOnGracefulShutdown() {
            await turn()
            if !isUp {
                isUp = true
                let status = await status()
                parts.manager.ready(status)
                logger.info("ready", metadata: ["status": "\(status)"])
            }
        }
        ticks.cancel()
        await drain()
    }

    /// Sets the loop going.
    package nonisolated func poke() { pulse.beat() }

    /// Reads the configuration anew in the loop's next turn.
    package func requestReload() {
        isReloadWanted = true
        poke()
    }

    /// One turn of the loop.
    private func turn() async {
        await reloadIfChanged()
        await look()
        await recordEnds()
        await recordProgress()
        await startJobs()
        await cleanIfDue()
        lastBeat = parts.now()
        // Before the first turn has ended, nothing is to be heard but that it has.
        if isUp { parts.manager.beat() }
    }

    /// Queues what a killed daemon left running, and removes what its children left on disk.
    private func recover() async throws(DaemonError) {
        let count = try await store.recover(now: parts.now())
        if count > 0 {
            logger.notice("jobs were running when the daemon ended; they go on", metadata: ["jobs": "\(count)"])
        }
        BundlePlace.sweep(root: configuration.bundles, active: try await store.activeIDs())
        do {
            for directory in ["\(configuration.state)/logs", configuration.bundles] {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            }
        } catch {
            logger.error("a directory cannot be made", metadata: ["error": "\(error.localizedDescription)"])
        }
    }

    private func drain() async {
        isDraining = true
        parts.manager.stopping()
        logger.notice("stopping", metadata: ["running": "\(running.count)"])
        for entry in running.values { entry.child.stop(grace: Self.grace) }
        // A bundle that is still being read back is found and taken by the next start.
        let end = ContinuousClock.now + Self.drainLimit
        while !running.isEmpty, ContinuousClock.now < end {
            // A task of its own: in a cancelled one, sleeping takes no time.
            await Task { try? await Task.sleep(for: .milliseconds(20)) }.value
        }
        await recordEnds()
        hub.finish()
        logger.notice("stopped")
    }

    /// What a child gets to put its work away, and what the whole drain may take.
    static let grace = Duration.seconds(7)
    private static let drainLimit = Duration.seconds(9)

    /// A line for people.
    func status() async -> String {
        let counts = (try? await store.counts()) ?? [:]
        return "\(await watcher.models.count) models, \(profileSet.members.count) profiles, "
            + "\(counts[.queued] ?? 0) jobs queued, \(running.count) running"
    }
}

/// What sets the engine's loop going: beats that come while it works are one.
struct Pulse: Sendable {
    let beats: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (beats, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func beat() { continuation.yield() }
}
