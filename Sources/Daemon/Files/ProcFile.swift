internal import Glibc

/// A file under /proc. It says that it has no bytes, so it is read until it ends; `String(contentsOfFile:)` stops at the first
/// page.
package enum ProcFile {
    /// Hands over line after line of the file at `path`, none where it cannot be read. Holds one at a time, so that a process
    /// can look at its own memory.
    package static func forEachLine(_ path: String, _ body: (Substring) -> Void) {
        guard let file = fopen(path, "re") else { return }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            let text = String(cString: line)
            body(text.hasSuffix("\n") ? text.dropLast() : text[...])
        }
    }

    /// The rest of the first line that starts with `prefix`.
    package static func value(_ path: String, after prefix: String) -> Substring? {
        var value: Substring?
        forEachLine(path) { if value == nil, $0.hasPrefix(prefix) { value = $0.dropFirst(prefix.count) } }
        return value
    }
}
