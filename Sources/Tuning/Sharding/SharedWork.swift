internal import Foundation

/// Files that several processes need and one of them makes: texts, statistics of the model on them.
///
/// A process makes a file while it holds the lock of its name (flock(2)), which ends with the process: what a killed one has
/// begun, another takes over.
package struct SharedWork: Sendable {
    private let directory: String

    /// How long a process waits before it looks again at what another one makes.
    private static let pause: UInt32 = 100_000

    /// Work in `directory`, which is made where it is missing.
    package init(directory: String) throws(TuningError) {
        self.directory = directory
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw TuningError(
                .systemFailure, place: directory,
                "cannot be made: \(error.localizedDescription); choose another --store")
        }
    }

    /// Sees to it that all files of these names are there, and returns their paths. `make` writes one to the path that it gets;
    /// what others are making is waited for. `wait` is called now and then, and may throw.
    func files(
        _ names: [String], wait: () throws -> Void, make: (_ index: Int, _ path: String) throws -> Void
    ) throws -> [String] {
        let paths = names.map { "\(directory)/\($0)" }
        while true {
            var isMissing = false
            for (index, path) in paths.enumerated() where !FileManager.default.fileExists(atPath: path) {
                let isDone = try withLock(of: path) {
                    if !FileManager.default.fileExists(atPath: path) { try make(index, path) }
                }
                if !isDone { isMissing = true }
            }
            if !isMissing { return paths }
            try wait()
            usleep(Self.pause)
        }
    }

    /// Runs `body` while this process holds the lock of `path`; false where another one does.
    private func withLock(of path: String, _ body: () throws -> Void) throws -> Bool {
        let descriptor = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TuningError(
                .systemFailure, place: path,
                "cannot be locked: \(String(cString: strerror(errno))); choose another --store")
        }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
        try body()
        return true
    }
}
