internal import Compute
internal import Foundation
internal import ModelFiles

/// A text that the user named: its content, its name and its digest.
struct TextFile {
    let name: String
    let text: String
    /// SHA-256, hexadecimal.
    let digest: String

    /// Reads the file at `path`; bytes that are not UTF-8 are an error.
    init(path: String) throws(ModelError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelError(.unreadable, file: path, "cannot be read; give the path of a text file")
        }
        guard let text = String(data: data, encoding: .utf8), !text.isEmpty else {
            throw ModelError(.malformed, file: path, "is not a text in UTF-8, or is empty; convert it first")
        }
        let hash = SHA256()
        data.withUnsafeBytes(hash.update)
        name = (path as NSString).lastPathComponent
        self.text = text
        digest = hash.hexadecimal()
    }
}
