import Foundation
import Testing

/// The rooms and what each may import: only rooms above it, and libraries only where they belong.
@Suite struct ImportTableTests {
    /// Targets in data-flow order.
    static let rooms = [
        "CLibYAML", "CLibCrypto", "CKernels", "Compute", "DeviceProfiles", "ModelFiles", "Quantization", "Reference",
        "IntegerRuntime",
        "Tuning", "CLinux", "Bundles", "Daemon", "profile-check", "fettle",
    ]

    /// Libraries from outside with the rooms that may use them.
    static let libraries: [String: Set<String>] = [
        "Foundation": Set(rooms),
        "Synchronization": Set(rooms),
        "Dispatch": ["Tuning", "Daemon", "fettle"],
        "Glibc": Set(rooms),
        "GRDB": ["Tuning", "Daemon"],
        "ArgumentParser": ["fettle"],
        "Hummingbird": ["Daemon"],
        "HummingbirdCore": ["Daemon"],
        "NIOCore": ["Daemon"],
        "NIOHTTP1": ["Daemon"],
        "NIOHTTPTypes": ["Daemon"],
        "NIOHTTPTypesHTTP1": ["Daemon"],
        "HTTPTypes": ["Daemon"],
        "ServiceLifecycle": ["Daemon", "fettle"],
        "Logging": ["Daemon", "fettle"],
        "Profiles": ["fettle"],
    ]

    static let sources = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources")

    @Test(arguments: rooms.filter { !$0.hasPrefix("C") || $0 == "Compute" })
    func importsOnlyFromAbove(room: String) throws {
        let order = try #require(Self.rooms.firstIndex(of: room))
        let files = try Self.swiftFiles(in: room)
        #expect(!files.isEmpty, "\(room) has no source")
        for file in files {
            for module in try Self.imports(of: file) {
                if let place = Self.rooms.firstIndex(of: module) {
                    #expect(place < order, "\(file.path) imports \(module), which is not upstream of \(room)")
                } else {
                    let allowed = Self.libraries[module]
                    #expect(
                        allowed?.contains(room) == true, "\(file.path) imports \(module), which \(room) may not use")
                }
            }
        }
    }

    @Test func everyFolderIsARoom() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
        #expect(Set(folders) == Set(Self.rooms))
    }

    @Test func filesStaySmall() throws {
        let tests = Self.sources.deletingLastPathComponent().appending(path: "Tests")
        for root in [Self.sources, tests] {
            let walk = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
            for case let file as URL in walk where ["swift", "c", "h"].contains(file.pathExtension) {
                let lines =
                    try String(contentsOf: file, encoding: .utf8).split(
                        separator: "\n", omittingEmptySubsequences: false
                    ).count - 1
                #expect(lines <= 400, "\(file.path) has \(lines) lines; a room wants dividing")
            }
        }
    }

    private static func swiftFiles(in room: String) throws -> [URL] {
        let folder = sources.appending(path: room)
        let walk = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return walk.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    }

    /// Module names of the import lines of `file`, whatever their access level.
    private static func imports(of file: URL) throws -> [String] {
        let text = try String(contentsOf: file, encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "import"), at <= 2, !line.hasPrefix(" "), !line.hasPrefix("//") else {
                return nil
            }
            return words.last?.split(separator: ".").first.map(String.init)
        }
    }
}
