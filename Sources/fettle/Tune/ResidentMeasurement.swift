internal import Foundation
internal import Tuning

/// Resident bytes of a bundle, measured in a child process, so that nothing that this process holds is counted.
enum ResidentMeasurement {
    /// Bytes, or in words why there are none.
    case bytes(Double)
    case failed(String)

    /// Runs this program's `measure-resident` on the bundle at `path`.
    init(bundle path: String) {
        let child = Process()
        let output = Pipe()
        do {
            child.executableURL = URL(fileURLWithPath: try Executable.path)
            child.arguments = ["measure-resident", path, "--threads", "1", "--parent", String(getpid())]
            child.standardOutput = output
            try child.run()
        } catch {
            self = .failed("the process that measures it cannot be started: \(error.localizedDescription)")
            return
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard child.terminationReason == .exit, child.terminationStatus == 0, let bytes = Double(text) else {
            let end = child.terminationReason == .exit ? "exit code" : "signal"
            self = .failed("the process that measures it ended with \(end) \(child.terminationStatus)")
            return
        }
        self = .bytes(bytes)
    }
}

extension Verdict {
    /// Notes what a measurement of resident bytes found. Where it failed, the goal counts as not met: nothing says that it is.
    mutating func note(_ measurement: ResidentMeasurement) {
        switch measurement {
        case .bytes(let bytes):
            measured = bytes
            unmeasured = nil
            met = bytes <= goal
        case .failed(let reason):
            measured = nil
            unmeasured = reason
            met = false
        }
    }
}
