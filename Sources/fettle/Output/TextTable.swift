/// A table for a terminal: columns as wide as their widest cell, numbers to the right.
struct TextTable {
    private let head: [String]
    private var rows: [[String]] = []

    /// A table with these column titles.
    init(_ head: [String]) { self.head = head }

    /// Adds a row; missing cells are empty.
    mutating func append(_ row: [String]) { rows.append(row) }

    /// The lines, without a trailing newline.
    var text: String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { cell($0, column).count }.max() ?? 0 }
        return all.map { row in
            let cells = head.indices.map { column in
                let text = cell(row, column)
                let space = String(repeating: " ", count: widths[column] - text.count)
                return isNumber(text) ? space + text : text + space
            }
            return cells.joined(separator: "  ").trimmingSuffix(while: { $0 == " " })
        }.joined(separator: "\n")
    }

    private func cell(_ row: [String], _ column: Int) -> String { column < row.count ? row[column] : "" }

    private func isNumber(_ text: String) -> Bool { text.first?.isNumber == true || text.first == "-" }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var result = self[...]
        while let last = result.last, predicate(last) { result.removeLast() }
        return String(result)
    }
}
