internal import Foundation

/// Opens a model in a child process: every check that tuning would make, and the digest, without this process ever mapping
/// a file that somebody may shorten, or reading a header that lies.
struct ModelProbe: Sendable {
    /// What a child found.
    enum Finding: Sendable, Equatable {
        case model(KnownModel)
        /// Files that are not whole, and why.
        case incomplete(String)
        /// A model that cannot be tuned, and why.
        case unreadable(String)
    }

    /// The `fettle` binary.
    let executable: String
    /// Descriptors that keep the lock of the state directory while the child lives.
    let inherited: [Int32]

    /// Memory of a child: a header of the largest size that the formats allow fits several times.
    private static let memoryCeiling = 4 << 30

    /// Reads the model at `path` to its end.
    func run(_ path: String) async throws(DaemonError) -> Finding {
        let child = ChildProcess(
            executable: executable,
            arguments: [
                "probe", path, "--worker-of", String(getpid()), "--memory-ceiling", String(Self.memoryCeiling),
            ], inherited: inherited)
        let messages = Messages()
        let (end, output) = try await child.run { messages.add($0) }
        switch end {
        case .exited(0):
            guard let answer = try? JSONDecoder().decode(ProbeAnswer.self, from: Data(output)) else {
                throw DaemonError(.system, place: path, "the child that read it answered nothing that can be read")
            }
            return answer.finding
        case .exited(let status):
            throw DaemonError(.system, place: path, messages.last ?? "the child that read it ended with \(status)")
        case .signalled(let signal):
            // A file that shrinks while it is mapped (SIGBUS), for instance.
            return .incomplete("the child that read it was ended by signal \(signal)")
        }
    }
}

/// What `fettle probe` prints.
package struct ProbeAnswer: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable { case ready, incomplete, unreadable }
    package var state: State
    /// Name and digest where it is ready.
    package var name: String?
    package var digest: String?
    /// Why it is not.
    package var reason: String?

    package init(state: State, name: String? = nil, digest: String? = nil, reason: String? = nil) {
        self.state = state
        self.name = name
        self.digest = digest
        self.reason = reason
    }

    var finding: ModelProbe.Finding {
        switch state {
        case .ready: .model(KnownModel(name: name ?? "", digest: digest ?? ""))
        case .incomplete: .incomplete(reason ?? "is not complete")
        case .unreadable: .unreadable(reason ?? "cannot be read")
        }
    }
}
