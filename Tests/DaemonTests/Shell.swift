import Foundation

/// A line of shell with what it printed.
enum Shell {
    static func run(_ script: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitForEnd()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}

extension Process {
    /// Waits until the process has ended, by asking: Foundation's own wait may sleep for ever in a run loop on Linux where
    /// the process ends just before it begins.
    func waitForEnd() {
        while isRunning { usleep(5000) }
    }
}
