internal import Foundation
internal import ModelFiles

/// A text on disk.
struct TextFile {
    let name: String
    let text: String

    /// More than this is left unread: a schedule uses a few thousand tokens, spread over what is read.
    private static let longest = 8 << 20

    /// Reads the file at `path`.
    init(path: String) throws(TuningError) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw TuningError(.badInput, place: path, "cannot be read; give a text file")
        }
        defer { try? handle.close() }
        let data: Data
        do {
            data = try handle.read(upToCount: Self.longest) ?? Data()
        } catch {
            throw TuningError(.badInput, place: path, "cannot be read: \(error.localizedDescription)")
        }
        name = (path as NSString).lastPathComponent
        text = String(decoding: data, as: UTF8.self)
    }

    /// The text's tokens.
    func tokens(_ tokenizer: Tokenizer) -> [Int32] { tokenizer.encode(text) }
}
