internal import Compute
internal import Foundation

/// SHA256SUMS: one line for each file of a bundle, as `sha256sum -c` reads it.
package struct Checksums: Sendable, Equatable {
    /// Hexadecimal digests by file name.
    package var digests: [String: String]

    /// Name of the file.
    package static let fileName = "SHA256SUMS"

    /// Digests of the named files in `directory`.
    package init(of files: [String], in directory: String) throws(BundleError) {
        digests = [:]
        for file in files { digests[file] = try Self.digest(path: "\(directory)/\(file)") }
    }

    /// Reads SHA256SUMS in `directory`.
    package init(directory: String) throws(BundleError) {
        let path = "\(directory)/\(Self.fileName)"
        guard let data = FileManager.default.contents(atPath: path), data.count < 1 << 20 else {
            throw BundleError(.malformed, file: path, "cannot be read; this is not a bundle, or not a whole one")
        }
        digests = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].count == 64, !parts[1].contains("/") else {
                throw BundleError(
                    .malformed, file: path, "has a line that sha256sum did not write; make the bundle again")
            }
            digests[parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " *"))] = String(parts[0])
        }
    }

    /// The file's content: names in order.
    package var text: String {
        digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }.joined()
    }

    /// Compares every file that is listed.
    ///
    /// - Throws: `malformed`, naming the first file that is missing or differs.
    package func verify(directory: String) throws(BundleError) {
        for (file, digest) in digests.sorted(by: { $0.key < $1.key }) {
            let path = "\(directory)/\(file)"
            guard try Self.digest(path: path) == digest else {
                throw BundleError(.malformed, file: path, "differs from its checksum; copy or make the bundle again")
            }
        }
    }

    private static func digest(path: String) throws(BundleError) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw BundleError(.malformed, file: path, "is missing or cannot be read; copy or make the bundle again")
        }
        defer { try? handle.close() }
        let hash = SHA256()
        do {
            while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { piece.withUnsafeBytes(hash.update) }
        } catch {
            throw BundleError(.malformed, file: path, "cannot be read to its end: \(error.localizedDescription)")
        }
        return hash.hexadecimal()
    }
}
