internal import Glibc
internal import Logging
internal import Synchronization

/// The bearer token, read from its file again whenever that changes.
final class TokenFile: Sendable {
    /// What the file says.
    enum Token: Sendable, Equatable {
        case none
        case bytes([UInt8])
        /// The file is there and cannot be used; why.
        case refused(String)
    }

    private struct Known {
        var version: FileStatus?
        var token: Token
    }

    private let path: String?
    private let logger: Logger
    private let known = Mutex(Known(version: nil, token: .none))
    private static let limit = 4096

    /// - Parameter path: Nil where no token is configured.
    init(path: String?, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// The token as the file has it now.
    var current: Token {
        guard let path else { return .none }
        let version = FileStatus(path: path)
        return known.withLock { known in
            guard let version else {
                if known.version != nil || known.token == .none { warn("\(path) cannot be read: changes are refused") }
                known = Known(version: nil, token: .refused("its file cannot be read"))
                return known.token
            }
            if known.version == version { return known.token }
            known = Known(version: version, token: Self.read(path))
            if case .refused(let reason) = known.token { warn("\(path): \(reason): changes are refused") }
            return known.token
        }
    }

    /// Whether `presented` is the token, in a time that depends on the length of `presented` alone.
    static func isEqual(_ presented: [UInt8], _ token: [UInt8]) -> Bool {
        guard !token.isEmpty else { return false }
        var difference = presented.count ^ token.count
        for (index, byte) in presented.enumerated() { difference |= Int(byte ^ token[index % token.count]) }
        return difference == 0
    }

    private func warn(_ text: String) { logger.warning("HTTP: the token file \(text)") }

    private static func read(_ path: String) -> Token {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .refused("its file cannot be read") }
        defer { close(descriptor) }
        guard let status = FileStatus(descriptor: descriptor), status.isRegular else {
            return .refused("its file is not a regular file")
        }
        guard !status.isOpenToAll else {
            return .refused("its file is open to every user of this machine; chmod 600 it")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0, count <= limit else { return .refused("its file is not one line of at most \(limit) bytes") }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let token = Array(bytes[..<count].drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        guard !token.isEmpty else { return .refused("its file is empty") }
        guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return .refused("its file holds more than one word of ASCII")
        }
        return .bytes(token)
    }
}
