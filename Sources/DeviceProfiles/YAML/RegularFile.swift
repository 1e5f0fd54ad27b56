internal import Glibc

/// Reads small regular files whole.
enum RegularFile {
    /// Whether a regular file is there (links followed).
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The bytes of the file, at most `limit` and one: who asks sees that there was more without reading it all.
    ///
    /// - Throws: `unreadable` for what is missing, a directory, a pipe or device, or may not be read.
    static func read(_ path: String, limit: Int) throws(ProfileError) -> [UInt8] {
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ProfileError(.unreadable, at: Place(file: path), "is not a regular file; name a YAML file")
        }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &block, min(block.count, limit + 1 - bytes.count))
            guard count >= 0 else { throw failure(path) }
            if count == 0 { break }
            bytes += block.prefix(count)
        }
        return bytes
    }

    private static func failure(_ path: String) -> ProfileError {
        ProfileError(.unreadable, at: Place(file: path), "cannot be read: \(String(cString: strerror(errno)))")
    }
}
