internal import Tuning

internal import Quantization

/// The plan as a picture: one row for each layer, one cell for each group, darker for more bits.
struct HeatMap {
    let groups: [BundleManifest.GroupSummary]

    /// An HTML table.
    var html: String {
        let columns = orderedColumns
        var rows: [String] = []
        for (row, cells) in orderedRows {
            let body = columns.map { column in
                cells[column].map(cell) ?? "<td class=none></td>"
            }
            rows.append("<tr><th scope=row>\(HTML.escaped(row))</th>\(body.joined())</tr>")
        }
        let head = columns.map { "<th scope=col>\(HTML.escaped($0))</th>" }.joined()
        return "<table class=heat><thead><tr><th scope=col>layer</th>\(head)</tr></thead><tbody>"
            + rows.joined(separator: "\n") + "</tbody></table>"
    }

    private func cell(_ group: BundleManifest.GroupSummary) -> String {
        let bits = bitsPerWeight(group)
        let title =
            "\(group.name): \(group.format)/\(group.activation) \(group.refinement), "
            + "\(HTML.number(group.sensitivity, digits: 3)) nats, \(HTML.count(group.storedBytes)) B"
        let share = max(0, min(1, (bits - 2) / 6.5))
        return "<td style=\"--share:\(HTML.number(share, digits: 3))\" title=\"\(HTML.escaped(title))\">"
            + "\(HTML.escaped(group.format))</td>"
    }

    /// Nominal bits of the format, the number that names it.
    private func bitsPerWeight(_ group: BundleManifest.GroupSummary) -> Double {
        switch try? Format(parsing: group.format) {
        case .grid(let grid): Double(grid.bits)
        case .block(let block): block.bitsPerWeight
        case .float16: 16
        case nil: 0
        }
    }

    /// `blk.3.attn_qkv` stands in row 3, column attn_qkv; anything else in a row of its own.
    private func position(_ name: String) -> (row: String, column: String) {
        let parts = name.split(separator: ".")
        guard parts.count >= 3, parts[0] == "blk" else { return (name, "matrix") }
        return (String(parts[1]), parts[2...].joined(separator: ".").replacing(".weight", with: ""))
    }

    private var orderedColumns: [String] {
        var seen: [String] = []
        for group in groups {
            let column = position(group.name).column
            if !seen.contains(column) { seen.append(column) }
        }
        return seen
    }

    private var orderedRows: [(String, [String: BundleManifest.GroupSummary])] {
        var order: [String] = []
        var cells: [String: [String: BundleManifest.GroupSummary]] = [:]
        for group in groups {
            let (row, column) = position(group.name)
            if cells[row] == nil { order.append(row) }
            cells[row, default: [:]][column] = group
        }
        return order.map { ($0, cells[$0] ?? [:]) }
    }
}
