internal import CLinux
internal import Foundation
internal import Synchronization

/// One child process in a process group of its own, with a thread of its own: Linux tells a child that its parent is gone
/// when the thread that made it ends, so that thread has to live as long as the child.
final class ChildProcess: Sendable {
    /// How a child ended.
    enum End: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    private struct State {
        /// The child, while it may be signalled: a process that was waited for has lost its number.
        var process: pid_t?
        /// When SIGTERM turns into SIGKILL.
        var killAt: ContinuousClock.Instant?
        var isStopped = false
        var isOvertime = false
    }

    private let executable: String
    private let arguments: [String]
    /// Descriptors that the child inherits as 3, 4, ...
    private let inherited: [Int32]
    private let state = Mutex(State())

    /// Bytes of stdout that are kept, and of one line of stderr.
    private static let longestOutput = 4 << 20
    private static let longestLine = 1 << 16
    /// How often a child is looked at that neither writes nor ends.
    private static let pollMilliseconds: Int32 = 200

    init(executable: String, arguments: [String], inherited: [Int32] = []) {
        self.executable = executable
        self.arguments = arguments
        self.inherited = inherited
    }

    /// Runs the child to its end. `line` gets each line of its stderr, on the child's thread.
    ///
    /// - Parameter limit: After this time the child is ended, and is `isOvertime`.
    /// - Returns: How it ended, and what it wrote to stdout.
    func run(
        limit: Duration? = nil, line: @escaping @Sendable (String) -> Void
    ) async throws(DaemonError) -> (end: End, output: [UInt8]) {
        let result: Result<(End, [UInt8]), DaemonError> = await withCheckedContinuation { continuation in
            let thread = Thread { [self] in
                do throws(DaemonError) {
                    continuation.resume(returning: .success(try supervise(limit: limit, line: line)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            thread.name = "child"
            thread.start()
        }
        return try result.get()
    }

    /// Whether `stop` was called.
    var isStopped: Bool { state.withLock(\.isStopped) }
    /// Whether the child ran into its limit.
    var isOvertime: Bool { state.withLock(\.isOvertime) }

    /// Asks the child to stop, and kills it and its group where it has not after `grace`.
    func stop(grace: Duration) {
        state.withLock { state in
            state.isStopped = true
            Self.end(&state, grace: grace)
        }
    }

    private static func end(_ state: inout State, grace: Duration) {
        let killAt = ContinuousClock.now + grace
        state.killAt = min(state.killAt ?? killAt, killAt)
        if let process = state.process { kill(process, SIGTERM) }
    }

    private func supervise(limit: Duration?, line: (String) -> Void) throws(DaemonError) -> (End, [UInt8]) {
        let output = try PipeReader()
        let messages = try PipeReader()
        let process = try spawn(output: output, messages: messages)
        output.closeWriting()
        messages.closeWriting()
        let isStopped = state.withLock { state in
            state.process = process
            return state.isStopped
        }
        if isStopped { kill(process, SIGTERM) }
        var overtime = limit.map { ContinuousClock.now + $0 }
        var kept: [UInt8] = []
        var lines = LineSplitter(longest: Self.longestLine)
        while true {
            let isEnded = hasEnded(process)
            PipeReader.wait(for: [output, messages], milliseconds: isEnded ? 0 : Self.pollMilliseconds)
            output.drain { if kept.count < Self.longestOutput { kept += $0 } }
            messages.drain { lines.append($0, line) }
            if isEnded { break }
            if let end = overtime, ContinuousClock.now >= end {
                overtime = nil
                state.withLock { state in
                    state.isOvertime = true
                    Self.end(&state, grace: .seconds(10))
                }
            }
            state.withLock { state in
                if let killAt = state.killAt, ContinuousClock.now >= killAt { kill(-process, SIGKILL) }
            }
        }
        lines.finish(line)
        return (collect(process), kept)
    }

    /// Whether the child is to be waited for; it keeps its number.
    private func hasEnded(_ process: pid_t) -> Bool {
        var information = siginfo_t()
        guard waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else {
            return errno == ECHILD
        }
        return information.si_signo == SIGCHLD
    }

    /// Ends what the child left running in its group, then lets go of its number.
    private func collect(_ process: pid_t) -> End {
        state.withLock { state in
            kill(-process, SIGKILL)
            state.process = nil
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0 && errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
        }
    }

    private func spawn(output: PipeReader, messages: PipeReader) throws(DaemonError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, messages.writing, 2)
        for (index, descriptor) in inherited.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(3 + index))
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, Int32(3 + inherited.count))

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var process: pid_t = 0
        let words = Self.strings([executable] + arguments)
        let environment = Self.strings(Self.environment)
        defer { (words + environment).forEach { free($0) } }
        let code = posix_spawn(&process, executable, &actions, &attributes, words, environment)
        guard code == 0 else {
            throw DaemonError(.system, place: executable, "cannot be started: \(String(cString: strerror(code)))")
        }
        return process
    }

    /// The daemon's environment without what the service manager tells the daemon alone, and without a backtrace that takes
    /// seconds and memory after a crash.
    private static var environment: [String] {
        let own = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "SWIFT_BACKTRACE"]
        let kept = ProcessInfo.processInfo.environment.filter { !own.contains($0.key) }
        return kept.map { "\($0.key)=\($0.value)" } + ["SWIFT_BACKTRACE=enable=no"]
    }

    /// C strings with a null pointer at the end, to be freed.
    private static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map { strdup($0) } + [nil]
    }
}
