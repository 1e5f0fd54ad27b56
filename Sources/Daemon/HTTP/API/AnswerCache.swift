internal import NIOCore
internal import Synchronization

/// Answers that hold until a job changes: lists that many clients read again and again.
final class AnswerCache: Sendable {
    private struct Answer {
        let bytes: ByteBuffer
        let generation: Int
        let made: ContinuousClock.Instant
    }

    private let answers = Mutex<[String: Answer]>([:])
    private let generation: @Sendable () -> Int
    private static let capacity = 64
    /// Against changes that no event tells of.
    private static let freshFor = Duration.seconds(1)

    /// - Parameter generation: Rises with every change.
    init(generation: @escaping @Sendable () -> Int) { self.generation = generation }

    /// The answer under `key`, made anew where something has changed since.
    func answer(_ key: String, make: () async throws -> ByteBuffer) async throws -> ByteBuffer {
        let generation = generation()
        let known = answers.withLock { $0[key] }
        if let known, known.generation == generation, .now - known.made < Self.freshFor { return known.bytes }
        // The generation is that from before: a change while it is made leaves it stale at once.
        let bytes = try await make()
        answers.withLock { answers in
            if answers.count >= Self.capacity { answers.removeAll() }
            answers[key] = Answer(bytes: bytes, generation: generation, made: .now)
        }
        return bytes
    }
}
