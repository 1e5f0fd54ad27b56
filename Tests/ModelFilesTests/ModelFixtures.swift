import Foundation
import ModelFiles

/// Paths of the fixtures that Tests/Fixtures/scripts/model_files.py made, and files that live as long as a test.
enum ModelFixtures {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path
    static let bard = root + "/bard"
    static let types = root + "/model-files/types.gguf"
    static let tiny = root + "/model-files/tiny"
    static let tinyGGUF = root + "/model-files/tiny.gguf"

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    static func json(_ name: String) throws -> JSON {
        try JSON(path: root + "/model-files/" + name)
    }

    /// CRC-32 as zlib computes it (polynomial 0xEDB88320).
    static func crc32(_ bytes: UnsafeRawBufferPointer) -> Int {
        let table: [UInt32] = (0..<256).map { (index: UInt32) -> UInt32 in
            var value = index
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            return value
        }
        var sum = UInt32.max
        for byte in bytes { sum = table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8) }
        return Int(~sum)
    }
}

/// A directory that goes with the object.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fettle-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `bytes` as the file `name` and returns its path.
    @discardableResult func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// A copy of the directory at `source`, writable.
    func copy(of source: String) throws -> String {
        let target = path + "/copy-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: source, toPath: target)
        return target
    }

    var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
}

/// What `body` throws, as one line; nil where it succeeds.
func modelError(_ body: () throws -> Void) -> ModelError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ModelError
    }
}
