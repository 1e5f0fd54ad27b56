internal import Foundation

/// A pipe out of a child process, read without waiting.
final class PipeReader {
    private let reading: Int32
    /// The child's end.
    private(set) var writing: Int32
    private var isOpen = true

    init() throws(DaemonError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw DaemonError(.system, place: "pipe", "cannot be made: \(String(cString: strerror(errno)))")
        }
        (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(reading)
        closeWriting()
    }

    /// Lets go of the child's end, once the child has it.
    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// Waits until one of `pipes` has bytes or its end, or the time is up.
    static func wait(for pipes: [PipeReader], milliseconds: Int32) {
        var polled = pipes.filter(\.isOpen).map { pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0) }
        _ = poll(&polled, nfds_t(polled.count), milliseconds)
    }

    /// Hands over everything that is there.
    func drain(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        guard isOpen else { return }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 14) { buffer in
            while true {
                let count = read(reading, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count == 0 { isOpen = false }
                guard count > 0 else { return }
                body(UnsafeBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
