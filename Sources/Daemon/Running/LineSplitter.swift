/// Bytes in pieces, lines out. A line longer than the limit comes in parts.
struct LineSplitter {
    private let longest: Int
    private var rest: [UInt8] = []

    init(longest: Int) { self.longest = longest }

    /// Takes bytes and hands over the lines that they complete, without their newlines.
    mutating func append(_ bytes: some Sequence<UInt8>, _ line: (String) -> Void) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || rest.count >= longest { finish(line) }
            if byte != UInt8(ascii: "\n") { rest.append(byte) }
        }
    }

    /// Hands over what came after the last newline.
    mutating func finish(_ line: (String) -> Void) {
        if !rest.isEmpty { line(String(decoding: rest, as: UTF8.self)) }
        rest.removeAll(keepingCapacity: true)
    }
}
