internal import Foundation

/// The two streams: results go to stdout, everything said about the work to stderr.
enum Console {
    /// A line for people on stderr.
    static func message(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    /// Whether stderr is a terminal that can redraw a line.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// A result on stdout as JSON: sorted keys, indented.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
