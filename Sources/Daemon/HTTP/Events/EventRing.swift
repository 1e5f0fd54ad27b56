internal import Foundation
internal import NIOCore
internal import Synchronization

/// Every change of every job, encoded once and kept for a while, so that a client that comes back misses nothing and one
/// that reads slowly holds nothing up.
///
/// Clients have a place in one ring of events instead of a queue each: memory does not grow with them.
final class EventRing: Sendable {
    /// A change, ready to be sent.
    struct Event: Sendable {
        let number: Int
        let job: Int64
        /// `id`, `event` and `data` lines.
        let text: ByteBuffer
    }

    /// What a client gets next.
    struct Batch: Sendable {
        var events: [Event]
        /// Where the client stands after them.
        var number: Int
        /// Whether events that it never saw are gone.
        var hasGap: Bool
        /// Whether no more will come.
        var isEnd: Bool
    }

    private struct State {
        var ring: [Event] = []
        var next = 1
        var clients: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextClient = 0
        var generation = 0
        var finished = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Tells the events of this run from those of one before.
    private let run: String
    private static let capacity = 1024
    private let heartbeat: Duration

    /// - Parameter run: Differs from run to run of the service.
    init(run: String, heartbeat: Duration = .seconds(15)) {
        self.run = run
        self.heartbeat = heartbeat
    }

    /// Takes events from the service until they or the task end.
    func follow(_ control: any ServiceControl, documents: JobDocuments) async {
        for await job in await control.events(job: nil) {
            guard !Task.isCancelled else { return }
            publish(documents.document(job))
        }
    }

    /// Wakes every client at each heartbeat, until the task is cancelled.
    func beat() async {
        while (try? await Task.sleep(for: heartbeat)) != nil { wake() }
    }

    /// Adds a change and wakes the clients.
    func publish(_ document: JobDocument) {
        guard let data = try? JSONAnswer.bytes(document) else { return }
        state.withLock { state in
            var text = ByteBuffer(string: "id: \(run)-\(state.next)\nevent: job\ndata: ")
            text.writeImmutableBuffer(data)
            text.writeString("\n\n")
            state.ring.append(Event(number: state.next, job: document.job.id, text: text))
            // Dropped in halves: one move of the rest for every 512 events.
            if state.ring.count > Self.capacity { state.ring.removeFirst(Self.capacity / 2) }
            state.next += 1
            state.generation += 1
            if document.job.state.isFinal { state.finished += 1 }
        }
        wake()
    }

    /// Ends every stream.
    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    /// How often something has changed; what was read at an older generation may be stale.
    var generation: Int { state.withLock { $0.generation } }

    /// How often a job has ended.
    var finished: Int { state.withLock { $0.finished } }

    /// Clients that listen now.
    var clients: Int { state.withLock { $0.clients.count } }

    /// Takes in a client; nil where there are too many.
    ///
    /// - Parameter lastID: What its Last-Event-ID says.
    func join(lastID: String?) -> (client: Client, place: Int, isResumed: Bool)? {
        state.withLock { state in
            guard state.clients.count < HTTPLimits.eventClients, !state.isClosed else { return nil }
            let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let id = state.nextClient
            state.nextClient += 1
            state.clients[id] = continuation
            let last = number(of: lastID).flatMap { $0 < state.next ? $0 : nil }
            return (Client(id: id, wakes: stream, ring: self), last ?? state.next - 1, last != nil)
        }
    }

    /// The events after `place`.
    func batch(after place: Int) -> Batch {
        state.withLock { state in
            let oldest = state.ring.first?.number ?? state.next
            let index = max(0, place + 1 - oldest)
            return Batch(
                events: index < state.ring.count ? Array(state.ring[index...]) : [], number: state.next - 1,
                hasGap: place + 1 < oldest, isEnd: state.isClosed)
        }
    }

    /// The id of the newest event, for a client that begins there.
    func id(_ number: Int) -> String { "\(run)-\(number)" }

    /// One listener. It leaves when the last reference to it goes.
    final class Client: Sendable {
        let wakes: AsyncStream<Void>
        private let id: Int
        private let ring: EventRing

        fileprivate init(id: Int, wakes: AsyncStream<Void>, ring: EventRing) {
            self.id = id
            self.wakes = wakes
            self.ring = ring
        }

        deinit {
            let continuation = ring.state.withLock { $0.clients.removeValue(forKey: id) }
            continuation?.finish()
        }
    }

    private func wake() {
        let continuations = state.withLock { Array($0.clients.values) }
        for continuation in continuations { continuation.yield() }
    }

    private func number(of id: String?) -> Int? {
        guard let id, let dash = id.lastIndex(of: "-"), id[..<dash] == run else { return nil }
        return Int(id[id.index(after: dash)...])
    }
}
