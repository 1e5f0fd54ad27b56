internal import Foundation

/// Everything that /metrics says, gathered when it is asked for.
struct MetricsPage: Sendable {
    let control: any ServiceControl
    let catalog: BundleCatalog
    let ring: EventRing
    let requests: RequestMetrics
    let refusals: RefusalLog
    let version: String

    /// The most bundles that have series of their own; the newest do.
    static let bundleLimit = 200
    /// The most stages that have series of their own.
    private static let stageLimit = 32

    /// The page.
    func text() async throws -> String {
        var text = PrometheusText()
        text.family("fettle_build_info", .gauge, "Always 1; the version is the label.")
        text.sample("fettle_build_info", [("version", version)], 1)
        try await writeJobs(to: &text)
        await writeStages(to: &text)
        await writeWatched(to: &text)
        await writeBundles(to: &text)
        requests.write(to: &text)
        text.family("fettle_http_refusals_total", .counter, "Requests and connections refused, by reason.")
        let totals = refusals.totals
        for kind in RefusalLog.Kind.allCases {
            text.sample("fettle_http_refusals_total", [("reason", kind.rawValue)], Double(totals[kind] ?? 0))
        }
        text.single("fettle_http_event_clients", .gauge, "Clients that listen to events.", Double(ring.clients))
        ProcessFigures()?.write(to: &text)
        return text.text
    }

    private func writeJobs(to text: inout PrometheusText) async throws {
        let counts = try await control.counts()
        text.family("fettle_jobs", .gauge, "Jobs in the store, by state.")
        for state in JobState.allCases {
            text.sample("fettle_jobs", [("state", state.rawValue)], Double(counts[state] ?? 0))
        }
        text.single("fettle_queue_depth", .gauge, "Jobs that wait for a worker.", Double(counts[.queued] ?? 0))
        text.single("fettle_ready", .gauge, "1 once scan, store and scheduler are up.", await control.isReady() ? 1 : 0)
        text.single(
            "fettle_heartbeat_timestamp_seconds", .gauge, "Last beat of the job loop, seconds since 1970.",
            await control.heartbeat().timeIntervalSince1970)
    }

    private func writeStages(to text: inout PrometheusText) async {
        let name = "fettle_stage_duration_seconds"
        text.family(name, .histogram, "Time of each finished stage of a job.")
        let stages = await control.stageDurations().sorted { $0.key < $1.key }
        for (stage, durations) in stages.prefix(Self.stageLimit) { text.histogram(name, [("stage", stage)], durations) }
    }

    private func writeWatched(to text: inout PrometheusText) async {
        let models = await control.models()
        text.family("fettle_models", .gauge, "Models in the watched directories, by state.")
        for state in [WatchedModel.State.settling, .incomplete, .unreadable, .ready] {
            text.sample("fettle_models", [("state", state.rawValue)], Double(models.count { $0.state == state }))
        }
        let profiles = await control.profiles()
        text.family("fettle_profiles", .gauge, "Profiles that models are tuned for.")
        text.sample("fettle_profiles", [("usable", "true")], Double(profiles.count { $0.error == nil }))
        text.sample("fettle_profiles", [("usable", "false")], Double(profiles.count { $0.error != nil }))
    }

    private func writeBundles(to text: inout PrometheusText) async {
        let all = await catalog.all(finished: ring.finished)
        let latest = all.filter(\.isLatest).prefix(Self.bundleLimit)
        text.single("fettle_bundles", .gauge, "Bundles on disk.", Double(all.count))
        let families: [(String, String, (BundleEntry) -> Double)] = [
            ("fettle_bundle_kl_nats", "KL divergence to the source, nats per token.", { $0.kl }),
            ("fettle_bundle_bytes", "Size of the weights file.", { Double($0.storedBytes) }),
            ("fettle_bundle_goals_met", "1 where every goal of the profile is met.", { $0.isMet ? 1 : 0 }),
        ]
        for (name, help, value) in families {
            text.family(
                name, .gauge, "\(help) The newest bundle of each model and profile, \(Self.bundleLimit) at most.")
            for bundle in latest {
                text.sample(name, [("model", bundle.model), ("profile", bundle.profile)], value(bundle))
            }
        }
    }
}
