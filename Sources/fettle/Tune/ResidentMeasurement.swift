internal import Foundation

/// Resident bytes of a bundle, measured in a child process, so that nothing that this process holds is counted.
struct ResidentMeasurement {
    let bytes: Double

    /// Runs this program's `measure-resident` on the bundle at `path`; nil where the child fails or this is not Linux.
    init?(bundle path: String) {
        guard let executable = try? Executable.path else { return nil }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: executable)
        child.arguments = ["measure-resident", path, "--threads", "1", "--parent", String(getpid())]
        let output = Pipe()
        child.standardOutput = output
        guard (try? child.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard child.terminationStatus == 0, let value = Double(text) else { return nil }
        bytes = value
    }
}
