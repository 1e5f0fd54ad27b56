internal import DeviceProfiles
internal import Foundation
internal import Logging

extension Engine {
    /// Reads the configuration anew where its file has changed or somebody asked. A bad one is refused and the old one
    /// goes on.
    func reloadIfChanged() async {
        let signature = FileStatus(path: parts.configurationPath)?.signature
        guard isReloadWanted || signature != configurationSignature else { return }
        configurationSignature = signature
        isReloadWanted = false
        parts.manager.reloading()
        do throws(ProfileError) {
            let fresh = try DaemonConfiguration.load(parts.configurationPath)
            try checkFixed(fresh)
            if fresh != configuration { adopt(fresh) }
        } catch {
            logger.error("configuration refused; the old one goes on", metadata: ["reason": "\(error)"])
        }
        parts.manager.ready(await status())
    }

    /// What is open cannot be exchanged while it is open.
    private func checkFixed(_ fresh: DaemonConfiguration) throws(ProfileError) {
        for (key, isSame) in [
            ("state", fresh.state == configuration.state), ("http", fresh.http == configuration.http),
        ]
        where !isSame {
            throw ProfileError(
                .impossible, at: fresh.places[key], keyPath: key,
                "cannot change while the daemon runs; restart it")
        }
    }

    private func adopt(_ fresh: DaemonConfiguration) {
        configuration = fresh
        profileSet = ProfileSet(fresh, library: parts.library)
        lastLook = nil
        wanted = nil
        parts.adopt(fresh)
        logger.notice("configuration reloaded")
    }
}
