internal import CLinux
internal import Foundation
package import ModelFiles

/// A bundle being written beside its final name: `publish` makes all of it visible at once, anything else none of it.
package final class BundleStage {
    /// The directory that files go to until then.
    package let directory: String
    /// The bundle's final directory, `<out>/<model>@<profile>`.
    package let destination: String
    private var isPublished = false

    /// Opens a stage for `model` and `profile` in the directory `out`, which is made where it is missing.
    ///
    /// Stages that a killed process left for the same bundle are removed; a bundle that is there stays until `publish`.
    package init(out: String, model: String, profile: String) throws(BundleError) {
        let name = "\(model)@\(profile)"
        let parent = (out as NSString).standardizingPath
        destination = (parent as NSString).appendingPathComponent(name)
        directory = (parent as NSString).appendingPathComponent(".\(name).\(getpid()).partial")
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            Self.removeAbandoned(of: name, in: parent)
            try? FileManager.default.removeItem(atPath: directory)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        } catch {
            throw BundleError(.unwritable, file: parent, "cannot be written: \(error.localizedDescription)")
        }
    }

    deinit { if !isPublished { try? FileManager.default.removeItem(atPath: directory) } }

    /// Path of `file` in the stage.
    package func path(_ file: String) -> String { "\(directory)/\(file)" }

    /// Refuses to begin what the disk has no room for.
    package func requireSpace(bytes: Int) throws(BundleError) {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return }
        let free = Int(clamping: UInt64(status.f_bavail)).multipliedReportingOverflow(by: Int(status.f_frsize))
        guard !free.overflow, free.partialValue < bytes else { return }
        throw BundleError(
            .unwritable, file: destination,
            "needs \(bytes) bytes, but the disk has \(free.partialValue) left; free some, or choose another --out")
    }

    /// Writes one of the smaller files.
    package func write(_ bytes: [UInt8], to file: String) throws(ModelError) {
        let output = try OutputFile(path: path(file))
        try output.append(bytes)
        try output.finish()
    }

    /// Writes checksums over everything in the stage and gives the bundle its final name, replacing the one that is there.
    package func publish() throws(BundleError) {
        do {
            let files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            let sums = try Checksums(of: files, in: directory)
            try write(Array(sums.text.utf8), to: Checksums.fileName)
        } catch let error as BundleError {
            throw error
        } catch {
            throw BundleError(.unwritable, file: directory, "cannot be completed: \(error)")
        }
        sync(directory)
        try exchange()
        sync((destination as NSString).deletingLastPathComponent)
        isPublished = true
    }

    /// Puts the stage where the bundle belongs. An old bundle is exchanged in one step and then removed.
    private func exchange() throws(BundleError) {
        var status = stat()
        if lstat(destination, &status) != 0 {
            guard rename(directory, destination) == 0 else { throw failure(errno) }
            return
        }
        guard FileManager.default.fileExists(atPath: "\(destination)/bundle.json") else {
            throw BundleError(
                .unwritable, file: destination, "is there already and is not a bundle; move it, or choose another --out"
            )
        }
        guard renameat2(AT_FDCWD, directory, AT_FDCWD, destination, UInt32(FETTLE_RENAME_EXCHANGE)) == 0 else {
            throw failure(errno)
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func failure(_ code: Int32) -> BundleError {
        BundleError(.unwritable, file: destination, "cannot be put in place: \(String(cString: strerror(code)))")
    }

    private func sync(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Removes stages of `name` whose process is gone.
    private static func removeAbandoned(of name: String, in parent: String) {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        where entry.hasPrefix(".\(name).") && entry.hasSuffix(".partial") {
            let process = entry.dropFirst(name.count + 2).dropLast(".partial".count)
            guard let id = Int32(process), kill(id, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(atPath: "\(parent)/\(entry)")
        }
    }
}
