import Daemon
import Foundation

/// A socket that sends what no client would.
final class RawConnection: Sendable {
    private let descriptor: Int32
    private let seconds: Int

    struct Failure: Error {
        let code: Int32
    }

    /// Connects; no wait takes longer than `seconds`.
    init(_ address: ListenAddress, seconds: Int) throws {
        self.seconds = seconds
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(address.port).bigEndian
        inet_pton(AF_INET, address.host, &place.sin_addr)
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(code: errno) }
    }

    deinit { close(descriptor) }

    /// Sends all of `bytes`.
    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(code: errno) }
            sent += count
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// The next bytes; empty at the end.
    func receive() throws -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &block, block.count, 0)
        guard count >= 0 else { throw Failure(code: errno) }
        return Array(block[..<count])
    }

    /// Everything until the server closes.
    func receiveAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            do {
                let more = try receive()
                if more.isEmpty { return bytes }
                bytes += more
            } catch let failure as Failure where failure.code == ECONNRESET {
                return bytes
            }
        }
    }

    /// Everything until `text` has come, the server has closed, or the time is up: heartbeats come for ever.
    func receive(until text: String) throws -> String {
        let end = ContinuousClock.now + .seconds(seconds)
        var bytes: [UInt8] = []
        while true {
            let more = try receive()
            bytes += more
            let all = String(decoding: bytes, as: UTF8.self)
            if more.isEmpty || all.contains(text) || .now > end { return all }
        }
    }
}

/// An answer as it came over the wire.
struct RawAnswer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    init(_ bytes: [UInt8]) {
        let mark = Array("\r\n\r\n".utf8)
        let end = bytes.indices.first { bytes[$0...].starts(with: mark) } ?? bytes.endIndex
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        self.headers = headers
        body = Array(bytes[min(bytes.count, end + 4)...])
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    var json: Any? { try? JSONSerialization.jsonObject(with: Data(body)) }

    func member(_ name: String) -> Any? { (json as? [String: Any])?[name] }
}
