internal import Foundation

/// Something in a watched directory that is or may become a model.
struct ModelSighting: Sendable, Equatable {
    let path: String
    /// File stem or directory name, as `Model.name` has it.
    let name: String
    /// What changes when the model does.
    let signature: String
    /// Size of all of its files.
    let bytes: Int
    /// Why it cannot be complete yet, by its file names alone.
    let obstacle: String?

    /// Endings of files that some program is still writing.
    private static let temporaryEndings = [
        ".part", ".partial", ".tmp", ".temp", ".incomplete", ".crdownload", ".download", ".aria2", "~",
    ]
    /// Files of one model directory that are looked at; a directory with more is no model.
    private static let mostFiles = 10_000

    /// The models in `directory`, by path. Hidden and temporary names, and files that are no GGUF, are none.
    static func all(in directory: String) throws(DaemonError) -> [ModelSighting] {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw DaemonError(.system, place: directory, "cannot be listed: \(error.localizedDescription)")
        }
        return entries.sorted().compactMap { entry in
            guard !entry.hasPrefix("."), !isTemporary(entry) else { return nil }
            return ModelSighting(path: (directory as NSString).appendingPathComponent(entry))
        }
    }

    /// What is at `path`; nil where it is no model.
    init?(path: String) {
        let entry = (path as NSString).lastPathComponent
        guard let status = FileStatus(path: path) else { return nil }
        self.path = path
        if status.isDirectory {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? []
            let relevant = files.filter { !$0.hasPrefix(".") || Self.isTemporary($0) }.prefix(Self.mostFiles)
            let statuses = relevant.map { ($0, FileStatus(path: "\(path)/\($0)")) }
            name = entry
            signature = FileStatus.signature(of: relevant.map { "\(path)/\($0)" })
            bytes = statuses.reduce(0) { $0 + ($1.1?.isRegular == true ? $1.1?.size ?? 0 : 0) }
            obstacle = Self.obstacle(files: relevant)
        } else {
            guard status.isRegular, entry.lowercased().hasSuffix(".gguf"), entry.utf8.count > 5 else { return nil }
            name = (entry as NSString).deletingPathExtension
            signature = status.signature
            bytes = status.size
            obstacle = nil
        }
    }

    private static func isTemporary(_ name: String) -> Bool {
        let lowercased = name.lowercased()
        return temporaryEndings.contains { lowercased.hasSuffix($0) }
    }

    private static func obstacle(files: ArraySlice<String>) -> String? {
        if let file = files.first(where: isTemporary) { return "\(file) is still being written" }
        if !files.contains("config.json") { return "has no config.json" }
        if !files.contains(where: { $0.hasSuffix(".safetensors") }) { return "has no safetensors file" }
        return nil
    }
}
