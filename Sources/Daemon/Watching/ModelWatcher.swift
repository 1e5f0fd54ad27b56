internal import Foundation

/// The models of the watched directories and how far each has come: seen, settled, read, ready.
///
/// It looks at everything each time and remembers what it saw; what happened in between does not matter, so that no order
/// of events, no overflow and no restart can confuse it.
actor ModelWatcher {
    /// One model and where it stands.
    private struct Entry {
        var sighting: ModelSighting
        /// Since when it has looked like that.
        var since: ContinuousClock.Instant
        var missingSince: ContinuousClock.Instant?
        var state = WatchedModel.State.settling
        var reason: String?
        var known: KnownModel?
        var isBeingRead = false
    }

    private let store: JobStore
    private let probe: ModelProbe
    /// Called when a model was read: time to look at the results.
    private let change: @Sendable () -> Void
    private var entries: [String: Entry] = [:]
    private var reading = 0
    private var settle = Duration.zero
    private var refused: Set<String> = []
    private var hasNews = false
    /// Directories that could not be listed, and why.
    private(set) var troubles: [String: String] = [:]

    /// Models that are read at the same time: more would only make the disk seek.
    private static let mostReaders = 2

    init(store: JobStore, probe: ModelProbe, change: @escaping @Sendable () -> Void) {
        self.store = store
        self.probe = probe
        self.change = change
    }

    /// Directories that a watch should cover.
    func directories(of roots: [String]) -> Set<String> {
        Set(roots + entries.keys.filter { FileStatus(path: $0)?.isDirectory == true })
    }

    /// Whether a model is on its way, so that the next look should not wait for an event.
    var isUnsettled: Bool {
        entries.values.contains { $0.missingSince != nil || ($0.state == .settling && $0.sighting.obstacle == nil) }
    }

    /// Whether a model was read since the last call.
    func takeNews() -> Bool {
        defer { hasNews = false }
        return hasNews
    }

    /// Models that came to a state since the last call which somebody should hear of: they will not be tuned as they are.
    func takeRefused() -> [WatchedModel] {
        defer { refused = [] }
        return models.filter { refused.contains($0.path) }
    }

    /// Every model with its state, by path.
    var models: [WatchedModel] {
        entries.values.sorted { $0.sighting.path < $1.sighting.path }.map { entry in
            WatchedModel(
                name: entry.known?.name ?? entry.sighting.name, path: entry.sighting.path, state: entry.state,
                reason: entry.reason, bytes: entry.sighting.bytes, digest: entry.known?.digest)
        }
    }

    /// Looks at all of `roots`, and starts to read what has not changed for `settle`.
    func look(roots: [String], settle: Duration) async {
        self.settle = settle
        let now = ContinuousClock.now
        var seen: Set<String> = []
        troubles = [:]
        for root in roots {
            do throws(DaemonError) {
                for sighting in try ModelSighting.all(in: root) {
                    seen.insert(sighting.path)
                    await note(sighting, now: now)
                }
            } catch {
                // A directory that cannot be listed, such as a disk that is not mounted, says nothing about its models.
                troubles[root] = error.message
                seen.formUnion(entries.keys.filter { $0.hasPrefix(root) })
            }
        }
        forgetMissing(seen: seen, now: now)
        startReading(now: now)
    }

    private func note(_ sighting: ModelSighting, now: ContinuousClock.Instant) async {
        if entries[sighting.path]?.sighting == sighting {
            entries[sighting.path]?.missingSince = nil
            return
        }
        var entry = Entry(sighting: sighting, since: now)
        if let obstacle = sighting.obstacle {
            entry.state = .incomplete
            entry.reason = obstacle
        } else if let known = try? await store.knownModel(path: sighting.path, signature: sighting.signature) {
            entry.state = .ready
            entry.known = known
        }
        entry.isBeingRead = entries[sighting.path]?.isBeingRead ?? false
        entries[sighting.path] = entry
    }

    /// Drops what has been gone for the settle time. One that may have been renamed stays until its new name was read, so
    /// that its jobs find it there.
    private func forgetMissing(seen: Set<String>, now: ContinuousClock.Instant) {
        let pending = Set(
            entries.values.filter { $0.state == .settling && $0.missingSince == nil }.map(\.sighting.bytes))
        for (path, entry) in entries where !seen.contains(path) {
            guard let since = entry.missingSince else {
                entries[path]?.missingSince = now
                continue
            }
            let mayBeRenamed = entry.state == .ready && pending.contains(entry.sighting.bytes)
            if now - since >= settle, !mayBeRenamed { entries[path] = nil }
        }
    }

    private func startReading(now: ContinuousClock.Instant) {
        let due = entries.values.filter { entry in
            entry.state == .settling && !entry.isBeingRead && entry.missingSince == nil && now - entry.since >= settle
        }
        for entry in due.sorted(by: { $0.sighting.path < $1.sighting.path }) where reading < Self.mostReaders {
            reading += 1
            entries[entry.sighting.path]?.isBeingRead = true
            Task { await self.read(entry.sighting) }
        }
    }

    private func read(_ sighting: ModelSighting) async {
        let finding: ModelProbe.Finding
        do {
            finding = try await probe.run(sighting.path)
        } catch {
            finding = .unreadable("\(error)")
        }
        reading -= 1
        defer {
            hasNews = true
            startReading(now: .now)
            change()
        }
        entries[sighting.path]?.isBeingRead = false
        // What changed while it was read is read again once it has settled.
        guard entries[sighting.path]?.sighting == sighting, ModelSighting(path: sighting.path) == sighting else {
            return
        }
        switch finding {
        case .model(let known):
            entries[sighting.path]?.state = .ready
            entries[sighting.path]?.known = known
            // A store that cannot be written costs one more reading after a restart, no more.
            try? await store.remember(known, path: sighting.path, signature: sighting.signature)
        case .incomplete(let reason):
            refuse(sighting.path, .incomplete, reason)
        case .unreadable(let reason):
            refuse(sighting.path, .unreadable, reason)
        }
    }

    private func refuse(_ path: String, _ state: WatchedModel.State, _ reason: String) {
        entries[path]?.state = state
        entries[path]?.reason = reason
        refused.insert(path)
    }
}
