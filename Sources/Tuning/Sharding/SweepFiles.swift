package import Compute
internal import Foundation
internal import Reference

/// A sweep's place as files in a directory, one for each matrix: float32 in the machine's byte order, then their SHA-256. They
/// are renamed when they are whole but not synced: a kill leaves what was renamed. What cannot be written is left out, since
/// it costs time only, and only after a stop.
package struct SweepFiles: SweepMemory {
    private let directory: String
    private let key: String

    /// Seconds after which files of a sweep that nobody went on with are removed.
    private static let lifetime: Double = 7 * 24 * 3600
    private static let suffix = ".place"

    /// The place of the sweep `key`, a digest, in `directory`, which is made where it is missing.
    package init(directory: String, key: String) {
        self.directory = directory
        self.key = key
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        removeAbandoned()
    }

    /// The place of the sweep of `context` beside the store. Nil where that is in memory.
    init?(beside store: ScoreStore, of context: String) {
        guard let directory = store.directory else { return nil }
        self.init(directory: "\(directory)/sweeps", key: ScoreContext.digest(of: context))
    }

    package func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    package func matrix(_ name: String, rows: Int, columns: Int) -> Matrix? {
        let bytes = rows * columns * MemoryLayout<Float>.stride
        guard let data = FileManager.default.contents(atPath: path(name)) else { return nil }
        let numbers = data.prefix(bytes)
        guard numbers.count == bytes, data.dropFirst(bytes).elementsEqual(Self.digest(numbers).utf8) else { return nil }
        let values = [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
            count = numbers.copyBytes(to: UnsafeMutableRawBufferPointer(buffer)) / MemoryLayout<Float>.stride
        }
        return Matrix(rows: rows, columns: columns, values: values)
    }

    package func keep(_ matrix: Matrix, _ name: String) {
        var data = matrix.values.withUnsafeBytes { Data($0) }
        data.append(contentsOf: Self.digest(data).utf8)
        let partial = "\(path(name)).\(getpid())"
        let isWritten = (try? data.write(to: URL(filePath: partial))) != nil
        if !isWritten || rename(partial, path(name)) != 0 { unlink(partial) }
    }

    package func forget(_ name: String) { unlink(path(name)) }

    private func path(_ name: String) -> String { "\(directory)/\(key).\(name)\(Self.suffix)" }

    private static func digest(_ data: Data) -> String {
        let hash = SHA256()
        data.withUnsafeBytes(hash.update)
        return hash.hexadecimal()
    }

    private func removeAbandoned() {
        let manager = FileManager.default
        for name in (try? manager.contentsOfDirectory(atPath: directory)) ?? [] where name.contains(Self.suffix) {
            let path = "\(directory)/\(name)"
            let modified = (try? manager.attributesOfItem(atPath: path))?[.modificationDate] as? Date
            if let modified, Date().timeIntervalSince(modified) > Self.lifetime { unlink(path) }
        }
    }
}
