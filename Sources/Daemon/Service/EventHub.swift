internal import Foundation

/// Hands every change of a job to everyone who listens. A slow listener loses the oldest changes, nobody waits for it.
struct EventHub {
    private struct Listener {
        /// Nil is every job.
        let job: Int64?
        let continuation: AsyncStream<Job>.Continuation
    }

    private var listeners: [UUID: Listener] = [:]

    /// Changes kept for a listener that is slow.
    private static let kept = 64

    /// A new listener; `end` is called with its number once it stops to listen.
    mutating func listen(to job: Int64?, end: @escaping @Sendable (UUID) -> Void) -> AsyncStream<Job> {
        let (stream, continuation) = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .bufferingNewest(Self.kept))
        let number = UUID()
        continuation.onTermination = { _ in end(number) }
        listeners[number] = Listener(job: job, continuation: continuation)
        return stream
    }

    /// Forgets a listener.
    mutating func remove(_ number: UUID) { listeners[number] = nil }

    /// Tells everyone whom it concerns.
    func publish(_ job: Job) {
        for listener in listeners.values where listener.job ?? job.id == job.id { listener.continuation.yield(job) }
    }

    /// Ends every stream.
    mutating func finish() {
        for listener in listeners.values { listener.continuation.finish() }
        listeners = [:]
    }
}
