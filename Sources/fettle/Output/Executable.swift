internal import Foundation

/// The program itself, as a file: what a child process or a service unit starts.
enum Executable {
    /// Its absolute path, links resolved.
    static var path: String {
        get throws { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") }
    }
}
