internal import Glibc

/// A connection to the daemon: blocking, with a limit on each wait.
///
/// A command asks once and ends, so that neither an event loop nor a pool of connections would be of use; URLSession would
/// link libcurl.
final class ClientSocket {
    private let url: ServiceURL
    private let descriptor: Int32

    /// Connects.
    ///
    /// - Parameter patience: Seconds that any wait for the other side may take.
    /// - Throws: `unreachable`.
    init(_ url: ServiceURL, patience: Int) throws(ClientError) {
        self.url = url
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(url.address.host, String(url.address.port), &hints, &list) == 0 else {
            throw ClientError(.unreachable, address: "\(url)", "there is no host of this name")
        }
        defer { freeaddrinfo(list) }
        var code: Int32 = 0
        var next = list
        while let info = next?.pointee {
            let descriptor = socket(info.ai_family, info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), info.ai_protocol)
            var limit = timeval(tv_sec: patience, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
            if connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 {
                self.descriptor = descriptor
                return
            }
            code = errno
            close(descriptor)
            next = info.ai_next
        }
        throw ClientError(
            .unreachable, address: "\(url)",
            "\(String(cString: strerror(code))); is the daemon running, and is this its address (--url, --config)?")
    }

    deinit { close(descriptor) }

    /// Sends all of `bytes`.
    func send(_ bytes: [UInt8]) throws(ClientError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    descriptor, raw.baseAddress?.advanced(by: sent), raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw broken() }
            sent += count
        }
    }

    /// The next bytes; empty once the other side has ended.
    func receive() throws(ClientError) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &block, block.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw broken() }
            return Array(block[..<count])
        }
    }

    private func broken() -> ClientError {
        let isLate = errno == EAGAIN || errno == EWOULDBLOCK
        return ClientError(
            .unreachable, address: "\(url)",
            isLate ? "does not answer in time" : "the connection broke: \(String(cString: strerror(errno)))")
    }
}
