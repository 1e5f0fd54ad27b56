/// The answer to one request, read piece by piece: status, header fields, body by its length, in chunks, or to the end.
struct ClientAnswer {
    let status: Int
    /// Values by lower-case name.
    let headers: [String: String]

    private enum Body {
        case length(Int)
        /// In chunks; bytes left of the one that is being read.
        case chunked(Int)
        case untilClose
        case ended
    }

    private let socket: ClientSocket
    private let address: String
    private var pending: [UInt8]
    private var body: Body

    private static let headLimit = 64 << 10

    /// Reads the head.
    ///
    /// - Throws: `malformed` for what is not HTTP/1.1.
    init(_ socket: ClientSocket, address: String) throws(ClientError) {
        self.socket = socket
        self.address = address
        var bytes: [UInt8] = []
        var end: Int?
        while end == nil {
            let more = try socket.receive()
            guard !more.isEmpty, bytes.count < Self.headLimit else { throw Self.malformed(address) }
            let from = max(0, bytes.count - 3)
            bytes += more
            end = Self.headEnd(bytes, from: from)
        }
        let lines = String(decoding: bytes[..<(end ?? 0)], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw Self.malformed(address)
        }
        self.status = status
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Self.malformed(address) }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        self.headers = headers
        pending = Array(bytes[((end ?? 0) + 4)...])
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            body = .chunked(0)
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            body = .length(length)
        } else {
            body = .untilClose
        }
    }

    /// The next bytes of the body; nil after the last.
    mutating func next() throws(ClientError) -> [UInt8]? {
        switch body {
        case .ended: return nil
        case .length(let left):
            guard left > 0 else {
                body = .ended
                return nil
            }
            let piece = try take(atMost: left)
            body = .length(left - piece.count)
            return piece
        case .chunked(var left):
            if left == 0 {
                left = try chunkSize()
                guard left > 0 else {
                    body = .ended
                    return nil
                }
            }
            let piece = try take(atMost: left)
            left -= piece.count
            if left == 0 { _ = try line() }
            body = .chunked(left)
            return piece
        case .untilClose:
            let piece = pending.isEmpty ? try socket.receive() : pending
            pending = []
            if piece.isEmpty { body = .ended }
            return piece.isEmpty ? nil : piece
        }
    }

    /// The whole body.
    ///
    /// - Throws: `malformed` where it is longer than `limit`.
    mutating func all(limit: Int) throws(ClientError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try next() {
            bytes += piece
            guard bytes.count <= limit else { throw Self.malformed(address) }
        }
        return bytes
    }

    private mutating func take(atMost count: Int) throws(ClientError) -> [UInt8] {
        if pending.isEmpty { pending = try socket.receive() }
        guard !pending.isEmpty else { throw Self.malformed(address) }
        let piece = Array(pending.prefix(count))
        pending.removeFirst(piece.count)
        return piece
    }

    private mutating func chunkSize() throws(ClientError) -> Int {
        let line = try line()
        guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0 else { throw Self.malformed(address) }
        return size
    }

    /// The bytes up to the next CRLF, which is taken too.
    private mutating func line() throws(ClientError) -> String {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                let line = pending[..<end].filter { $0 != 0x0D }
                pending.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            let more = try socket.receive()
            guard !more.isEmpty, pending.count < 1024 else { throw Self.malformed(address) }
            pending += more
        }
    }

    private static func headEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (start...bytes.count - 4).first { bytes[$0..<$0 + 4].elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) }
    }

    private static func malformed(_ address: String) -> ClientError {
        ClientError(.malformed, address: address, "what answers there is not the daemon; check --url")
    }
}
