internal import DeviceProfiles
internal import Foundation
internal import Logging

// What one turn of the loop consists of.
extension Engine {
    /// How long nothing is looked at where nothing was heard of: the slow rescan for what inotify does not see.
    private static let rescan = Duration.seconds(60)
    /// Looks follow each other at this distance at least, however much happens.
    private static let leastPause = Duration.milliseconds(200)
    private static let cleaning = Duration.seconds(600)
    private static let leastRecordPause = Duration.milliseconds(900)

    /// Looks at models and profiles, and keeps the queue in step with them.
    func look() async {
        let now = ContinuousClock.now
        let pause = lastLook.map { now - $0 } ?? Self.rescan
        guard pause >= Self.leastPause else { return }
        let (hasNews, isUnsettled) = (await watcher.takeNews(), await watcher.isUnsettled)
        guard watch.takeChange() || hasNews || isUnsettled || wanted == nil || pause >= Self.rescan else { return }
        lastLook = now
        if ProfileSet.signature(configuration) != profileSet.signature || profileSet.members.isEmpty { loadProfiles() }
        await watcher.look(roots: configuration.models, settle: .seconds(configuration.settle))
        for model in await watcher.takeRefused() {
            logger.warning(
                "model \(model.state.rawValue)",
                metadata: ["path": "\(model.path)", "reason": "\(model.reason ?? "")"])
        }
        await watchDirectories()
        await reconcile()
    }

    private func loadProfiles() {
        profileSet = ProfileSet(configuration, library: parts.library)
        for member in profileSet.members {
            if let error = member.error {
                logger.error("profile cannot be used", metadata: ["profile": "\(member.source)", "reason": "\(error)"])
            } else if let profile = member.profile {
                logger.info(
                    "profile", metadata: ["profile": "\(profile.name)", "digest": "\(profile.digest.prefix(12))"])
            }
        }
    }

    private func watchDirectories() async {
        var paths = await watcher.directories(of: configuration.models)
        paths.formUnion(ProfileSet.directories(configuration))
        let folder = (parts.configurationPath as NSString).deletingLastPathComponent
        paths.insert(folder.isEmpty ? "." : folder)
        paths = paths.filter { FileStatus(path: $0)?.isDirectory == true }
        let refused = watch.watch(paths)
        var troubles = await watcher.troubles
        for path in refused { troubles[path] = "cannot be watched; raise fs.inotify.max_user_watches" }
        for (path, trouble) in troubles where self.troubles[path] != trouble {
            logger.warning("directory", metadata: ["path": "\(path)", "reason": "\(trouble)"])
        }
        self.troubles = troubles
    }

    private func reconcile() async {
        let requests = profileSet.requests(for: await watcher.models)
        guard requests != wanted, !isDraining else { return }
        do throws(DaemonError) {
            let change = try await store.reconcile(requests, now: parts.now()) { job in
                requests.contains { $0.key.modelDigest == job.modelDigest }
                    ? "its profile or calibration changed, or is no longer configured"
                    : "its model was replaced or removed"
            }
            wanted = requests
            noteStore(nil)
            for job in change.queued { announce(job, "queued") }
            for job in change.withdrawn {
                running[job.id]?.child.stop(grace: Self.grace)
                announce(job, "withdrawn")
            }
        } catch {
            // Whatever there is to look at next, this is to be done again.
            wanted = nil
            noteStore(error)
        }
    }

    /// Starts children while there are workers.
    func startJobs() async {
        while running.count < configuration.workers, !isDraining {
            do throws(DaemonError) {
                let busy = Set(running.keys).union(unrecorded.keys)
                guard let job = try await store.claim(now: parts.now(), busy: busy) else { return }
                noteStore(nil)
                start(job)
            } catch {
                return noteStore(error)
            }
        }
    }

    private func start(_ job: Job) {
        let log = JobLog(path: logPath(job.id))
        let member = profileSet.members.first { $0.profile?.digest == job.profileDigest }
        let source = member?.source ?? job.profile
        let child = ChildProcess(
            executable: parts.executable,
            arguments: JobRunner.arguments(job, profile: source, configuration: configuration),
            inherited: [lock.descriptor])
        let bytes = ModelSighting(path: job.modelPath)?.bytes ?? 0
        let runner = JobRunner(
            job: job, configuration: configuration,
            neededBytes: min(bytes, member?.profile?.memory.storage ?? bytes), child: child, log: log)
        running[job.id] = RunningJob(job: job, child: child, log: log)
        Task { end(job.id, await runner.run()) }
        announce(job, "running")
    }

    private func end(_ id: Int64, _ event: JobEvent) {
        unrecorded[id] = event
        if let log = running.removeValue(forKey: id)?.log { keepStages(log) }
        poke()
    }

    /// Tells the store how jobs ended; what it cannot take now it gets the next time.
    func recordEnds() async {
        for (id, event) in unrecorded.sorted(by: { $0.key < $1.key }) {
            do throws(DaemonError) {
                let job = try await store.apply(event, to: id, now: parts.now())
                unrecorded[id] = nil
                // What is final, or was cancelled in the meantime, has no use for its work in progress.
                if job?.state.isFinal ?? true { BundlePlace.clear(id, root: configuration.bundles) }
                noteStore(nil)
                if let job { announce(job, "\(job.state.rawValue)") }
                if case .finished = event { lastCleaning = nil }
            } catch {
                return noteStore(error)
            }
        }
    }

    /// Keeps what children said since the last turn, at most once a second for each job.
    func recordProgress() async {
        for id in running.keys.sorted() {
            guard var entry = running[id] else { continue }
            keepStages(entry.log)
            let now = ContinuousClock.now
            guard entry.recorded.map({ now - $0 >= Self.leastRecordPause }) ?? true else { continue }
            guard let progress = entry.log.takeProgress() else { continue }
            entry.job.stage = progress.stage
            entry.job.fraction = progress.fraction
            entry.job.message = progress.detail
            entry.recorded = now
            running[id] = entry
            hub.publish(entry.job)
            // Progress that is not kept is only progress that a restart does not show.
            try? await store.record(
                stage: progress.stage, fraction: progress.fraction, message: progress.detail, of: id)
        }
    }

    private func keepStages(_ log: JobLog) {
        for (stage, seconds) in log.takeFinishedStages() { stages[stage, default: DurationHistogram()].add(seconds) }
    }

    /// Forgets what the configuration does not keep.
    func cleanIfDue() async {
        let now = ContinuousClock.now
        guard let wanted, lastCleaning.map({ now - $0 >= Self.cleaning }) ?? true else { return }
        lastCleaning = now
        let retention = Retention(configuration: configuration, store: store, logger: logger)
        // Models of a directory that cannot be listed are wanted too, but nobody knows which they are.
        await retention.clean(wanted: troubles.isEmpty ? Set(wanted.map(\.key)) : nil, now: parts.now())
    }

    func logPath(_ id: Int64) -> String { "\(configuration.state)/logs/\(id).log" }

    /// Logs a job's new state, and tells those who listen.
    func announce(_ job: Job, _ text: Logger.Message) {
        var metadata: Logger.Metadata = [
            "job": "\(job.id)", "model": "\(job.model)", "profile": "\(job.profile)",
        ]
        if let message = job.message { metadata["reason"] = "\(message)" }
        if let kl = job.kl, job.state == .done { metadata["kl"] = "\(kl)" }
        logger.log(level: job.state == .failed ? .error : .info, text, metadata: metadata)
        hub.publish(job)
    }

    /// Logs trouble with the store once, and its end.
    func noteStore(_ error: DaemonError?) {
        let trouble = error?.description
        guard trouble != storeTrouble else { return }
        storeTrouble = trouble
        if let trouble {
            logger.error("the store refuses", metadata: ["reason": "\(trouble)"])
        } else {
            logger.notice("the store works again")
        }
    }
}
