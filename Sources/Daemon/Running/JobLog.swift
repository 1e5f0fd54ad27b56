internal import Foundation
internal import Synchronization

/// What a job's child says: its progress, kept for whoever asks next, and its messages, kept in a file.
final class JobLog: Sendable {
    /// How far a child is.
    struct Progress: Sendable, Equatable {
        var stage: String
        var fraction: Double
        var detail: String
    }

    private struct State {
        var progress: Progress?
        var isFresh = false
        var stageBegan = ContinuousClock.now
        var finished: [(stage: String, seconds: Double)] = []
        /// Opened by the first message: most children say nothing.
        var file: FileHandle?
        var written = 0
    }

    /// The last message that was no progress.
    let messages = Messages()
    private let path: String
    private let state = Mutex(State())

    /// A log of one run may take so many bytes; what comes after is not kept.
    private static let mostBytes = 256 << 10
    /// Lines that are read back.
    private static let mostLines = 200

    /// A log that appends to the file at `path`; without one, nothing is kept.
    init(path: String) { self.path = path }

    /// Takes one line of the child's stderr.
    func add(_ line: String) {
        if let progress = Self.progress(line) { return note(progress) }
        messages.add(line)
        state.withLock { state in
            let bytes = Array("\(line)\n".utf8)
            guard state.written + bytes.count <= Self.mostBytes else { return }
            state.written += bytes.count
            if state.file == nil { state.file = Self.open(path) }
            // A full disk costs messages, not the job.
            try? state.file?.write(contentsOf: bytes)
        }
    }

    /// What has come since the last call; nil where nothing has.
    func takeProgress() -> Progress? {
        state.withLock { state in
            defer { state.isFresh = false }
            return state.isFresh ? state.progress : nil
        }
    }

    /// The stages that have ended since the last call, with their seconds.
    func takeFinishedStages() -> [(stage: String, seconds: Double)] {
        state.withLock { state in
            defer { state.finished = [] }
            return state.finished
        }
    }

    /// Ends the last stage.
    func finish() {
        state.withLock { state in
            Self.endStage(&state)
            try? state.file?.close()
            state.file = nil
        }
    }

    /// The last lines of the log at `path`, oldest first; none where there is no log.
    static func lines(path: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: path)?.suffix(mostBytes) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").suffix(mostLines).map(String.init)
    }

    /// The file at `path`, to be appended to; begun anew where it has grown too large.
    private static func open(_ path: String) -> FileHandle? {
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size > mostBytes { ftruncate(descriptor, 0) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private func note(_ progress: Progress) {
        state.withLock { state in
            if state.progress?.stage != progress.stage {
                Self.endStage(&state)
                state.stageBegan = .now
            }
            state.progress = progress
            state.isFresh = true
        }
    }

    private static func endStage(_ state: inout State) {
        guard let stage = state.progress?.stage else { return }
        state.finished.append((stage, (ContinuousClock.now - state.stageBegan) / .seconds(1)))
        state.progress = nil
    }

    /// Reads a line as `fettle tune --json` writes its progress.
    private static func progress(_ line: String) -> Progress? {
        struct Line: Decodable {
            let stage: String
            let fraction: Double
            let detail: String
        }
        guard line.hasPrefix("{"), let fields = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else {
            return nil
        }
        return Progress(stage: fields.stage, fraction: max(0, min(1, fields.fraction)), detail: fields.detail)
    }
}
