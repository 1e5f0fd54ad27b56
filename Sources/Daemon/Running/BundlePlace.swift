internal import Bundles
internal import Foundation

/// Where a job's bundle goes: `<bundles>/<model>@<profile>/<key>/`, with a link `latest` beside the versions.
///
/// While a child works, and until its bundle has been read back, everything of the job is in
/// `<bundles>/.fettle-work/<id>/`, on the same file system, so that a rename makes all of it visible at once.
struct BundlePlace: Sendable {
    /// The directory of all bundles.
    let root: String
    let job: Job

    /// Directory of work in progress, the only name in `root` besides `<model>@<profile>` that the daemon writes.
    static let workName = ".fettle-work"
    /// The link to the version that was finished last.
    static let latestName = "latest"

    /// The directory of the job's work in progress.
    var work: String { "\(root)/\(Self.workName)/\(job.id)" }
    /// Where `fettle tune --out work` puts the bundle.
    var staged: String { "\(work)/\(job.model)@\(job.profile)" }
    /// The directory of all versions for the job's model and profile.
    var versions: String { "\(root)/\(job.model)@\(job.profile)" }
    /// The job's own version.
    var destination: String { "\(versions)/\(job.key.name)" }

    /// Reads the bundle at `path` back, all of it, and sees whether it is the job's.
    ///
    /// - Throws: `BundleError` where it is not whole, or is of another model or profile.
    func check(_ path: String) throws(BundleError) -> BundleManifest {
        let manifest = try BundleManifest(path: "\(path)/bundle.json")
        guard isOurs(manifest) else {
            throw BundleError(
                .malformed, file: path, "is of another model or profile; they changed while the job was running")
        }
        try Checksums(directory: path).verify(directory: path)
        return manifest
    }

    /// Gives the staged bundle its place, in one step.
    func promote() throws(DaemonError) {
        do {
            try FileManager.default.createDirectory(atPath: versions, withIntermediateDirectories: true)
        } catch {
            throw DaemonError(.system, place: versions, "cannot be made: \(error.localizedDescription)")
        }
        if FileStatus(entry: destination) != nil {
            // Something is there that is not the job's whole bundle, or it would have been taken as it is.
            guard isOurs(destination) else {
                throw DaemonError(.system, place: destination, "is in the way and is not this job's; move it")
            }
            do {
                try FileManager.default.moveItem(atPath: destination, toPath: "\(work)/damaged")
            } catch {
                throw DaemonError(.system, place: destination, "cannot be moved: \(error.localizedDescription)")
            }
        }
        guard rename(staged, destination) == 0 else { throw failure(destination) }
        Self.sync(versions)
        Self.sync(root)
    }

    /// Points `latest` to the job's version, in one step. A `latest` that is no link is a user's, and stays.
    func link() throws(DaemonError) {
        let latest = "\(versions)/\(Self.latestName)"
        if let there = FileStatus(entry: latest), !there.isLink { return }
        let fresh = "\(work)/\(Self.latestName)"
        do {
            try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        } catch {
            throw DaemonError(.system, place: work, "cannot be made: \(error.localizedDescription)")
        }
        unlink(fresh)
        guard symlink(job.key.name, fresh) == 0, rename(fresh, latest) == 0 else { throw failure(latest) }
        Self.sync(versions)
    }

    /// Removes the job's version: out of sight in one step, then file by file.
    func remove() throws(DaemonError) {
        defer { clear() }
        do {
            try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: destination, toPath: "\(work)/old")
        } catch {
            throw DaemonError(.system, place: destination, "cannot be moved: \(error.localizedDescription)")
        }
    }

    /// Whether `latest` points to the job's version.
    var isLatest: Bool {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(versions)/\(Self.latestName)")
        return target == job.key.name
    }

    /// Removes the work in progress, and its directory where this was the last.
    func clear() { Self.clear(job.id, root: root) }

    /// Removes the work in progress of the job `id`, and the directory of all such work where this was the last.
    static func clear(_ id: Int64, root: String) {
        try? FileManager.default.removeItem(atPath: "\(root)/\(workName)/\(id)")
        rmdir("\(root)/\(workName)")
    }

    /// Removes work in progress of jobs that are not among `active`.
    static func sweep(root: String, active: Set<Int64>) {
        let directory = "\(root)/\(workName)"
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            guard let id = Int64(entry), !active.contains(id) else { continue }
            try? FileManager.default.removeItem(atPath: "\(directory)/\(entry)")
        }
        rmdir(directory)
    }

    /// Whether the directory at `path` is a bundle of the job's model and profile, whole or not.
    func isOurs(_ path: String) -> Bool {
        guard FileStatus(entry: path)?.isDirectory == true,
            let manifest = try? BundleManifest(path: "\(path)/bundle.json")
        else { return false }
        return isOurs(manifest)
    }

    private func isOurs(_ manifest: BundleManifest) -> Bool {
        manifest.model.digest == job.modelDigest && manifest.profile.digest == job.profileDigest
    }

    private func failure(_ path: String) -> DaemonError {
        DaemonError(.system, place: path, "cannot be put in place: \(String(cString: strerror(errno)))")
    }

    private static func sync(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
