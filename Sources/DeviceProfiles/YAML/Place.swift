/// A position in a file.
package struct Place: Hashable, Sendable, CustomStringConvertible {
    /// The path as it was given to the reader.
    package var file: String
    /// 1-based; 0 means the file as a whole.
    package var line: Int
    /// 1-based, in characters.
    package var column: Int

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, or the file alone.
    package var description: String { line > 0 ? "\(file):\(line):\(column)" : file }
}
