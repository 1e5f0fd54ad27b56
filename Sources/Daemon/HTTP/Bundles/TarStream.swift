internal import NIOCore

/// A bundle as one tar archive (POSIX.1-2001), written while it is read.
struct TarStream: Sendable {
    /// A file with the name that it has in the archive.
    private struct Member: Sendable {
        let header: ByteBuffer
        let file: OpenFile
    }

    private let members: [Member]

    /// Opens every file of `bundle`; nil where one has gone.
    ///
    /// - Parameter folder: The folder that the archive unpacks to.
    init?(_ bundle: BundleEntry, folder: String) {
        var members: [Member] = []
        for file in bundle.files {
            guard let open = OpenFile("\(bundle.directory)/\(file.name)") else { return nil }
            let header = Self.header("\(folder)/\(file.name)", size: open.size, modified: open.modified)
            members.append(Member(header: header, file: open))
        }
        self.members = members
    }

    /// Bytes of the archive.
    var size: Int {
        members.reduce(2 * Self.block) { $0 + $1.header.readableBytes + Self.padded($1.file.size) }
    }

    /// Hands on the archive piece by piece.
    func send(to sink: (ByteBuffer) async throws -> Void) async throws {
        for member in members {
            try await sink(member.header)
            try await member.file.send(0..<member.file.size, to: sink)
            try await sink(Self.zeros(Self.padded(member.file.size) - member.file.size))
        }
        try await sink(Self.zeros(2 * Self.block))
    }

    private static let block = 512

    private static func padded(_ size: Int) -> Int { (size + block - 1) / block * block }

    private static func zeros(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0, count: count) }

    /// The header of a file; what a plain one cannot hold is said in an extended one before it.
    private static func header(_ name: String, size: Int, modified: Int) -> ByteBuffer {
        let isPlain = name.utf8.count < 100 && name.utf8.allSatisfy { $0 < 0x80 } && size < 1 << 33
        guard !isPlain else { return plain(name, size: size, modified: modified, type: "0") }
        let records = Array((record("path", name) + record("size", String(size))).utf8)
        var header = plain("extended", size: records.count, modified: modified, type: "x")
        header.writeBytes(records)
        header.writeImmutableBuffer(zeros(padded(records.count) - records.count))
        header.writeImmutableBuffer(plain("file", size: size < 1 << 33 ? size : 0, modified: modified, type: "0"))
        return header
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts itself.
    private static func record(_ key: String, _ value: String) -> String {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while String(length).utf8.count + rest.utf8.count != length {
            length = String(length).utf8.count + rest.utf8.count
        }
        return "\(length)\(rest)"
    }

    private static func plain(_ name: String, size: Int, modified: Int, type: Character) -> ByteBuffer {
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
        }
        func octal(_ value: Int, digits: Int) -> String {
            let text = String(max(0, value), radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(name, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(modified, digits: 11), at: 136)
        put("        ", at: 148)
        put(String(type), at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        // The sum is taken with its own field as spaces.
        put(octal(bytes.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
        return ByteBuffer(bytes: bytes)
    }
}
