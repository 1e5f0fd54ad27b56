internal import Foundation
internal import Tuning

/// Quality against one cost as an SVG picture: the front, the chosen plan, the baselines.
struct ParetoChart {
    /// A point with what it is.
    struct Mark {
        var name: String
        var cost: Double
        var kl: Double
    }

    /// What the picture shows the cost in.
    struct Axis {
        /// For instance `stored bytes (MB)`.
        var title: String
        /// How many of the cost's units one unit of the axis is.
        var unit: Double
        /// For a point's own text: `B`, `s`.
        var base: String

        static let stored = Axis(title: "stored bytes (MB)", unit: 1e6, base: "B")
        static let resident = Axis(title: "resident bytes (MB)", unit: 1e6, base: "B")
        static let decode = Axis(title: "ms for a decoded token", unit: 1e-3, base: "s")
    }

    let axis: Axis
    let front: [(cost: Double, kl: Double)]
    let chosen: Mark
    let baselines: [Mark]

    private let width = 640.0
    private let height = 300.0
    private let margin = (left: 64.0, right: 16.0, top: 16.0, bottom: 40.0)

    /// The picture, or a sentence where there is nothing to draw.
    var html: String {
        guard front.count > 1 else { return "<p>The search had no freedom: there is no front to draw.</p>" }
        let marks = (baselines + [chosen]).map { ($0.cost, $0.kl) }
        let area = Area(points: front.map { ($0.cost, $0.kl) } + marks)
        let line = front.sorted { $0.cost < $1.cost }.map { point in
            "\(format(x(point.cost, area))),\(format(y(point.kl, area)))"
        }
        var parts = [
            "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=img aria-label=\"KL divergence against \(axis.title)\">",
            axes(area),
            "<polyline class=front points=\"\(line.joined(separator: " "))\"/>",
        ]
        for baseline in baselines { parts.append(mark("baseline", baseline, area)) }
        parts.append(mark("chosen", chosen, area))
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    private struct Area {
        let cost: ClosedRange<Double>
        /// Logarithms: fronts fall by orders of magnitude.
        let kl: ClosedRange<Double>

        init(points: [(Double, Double)]) {
            let x = points.map(\.0)
            let y = points.map { log10(max($0.1, 1e-9)) }
            let least = x.min() ?? 0
            cost = least...max(x.max() ?? 1, least * (1 + 1e-9) + .leastNormalMagnitude)
            kl = (y.min() ?? 0)...max(y.max() ?? 1, (y.min() ?? 0) + 1e-3)
        }
    }

    private func x(_ cost: Double, _ area: Area) -> Double {
        let share = (cost - area.cost.lowerBound) / (area.cost.upperBound - area.cost.lowerBound)
        return margin.left + share * (width - margin.left - margin.right)
    }

    private func y(_ kl: Double, _ area: Area) -> Double {
        let share = (log10(max(kl, 1e-9)) - area.kl.lowerBound) / (area.kl.upperBound - area.kl.lowerBound)
        return height - margin.bottom - share * (height - margin.top - margin.bottom)
    }

    private func format(_ value: Double) -> String { String(format: "%.1f", value) }

    private func mark(_ kind: String, _ mark: Mark, _ area: Area) -> String {
        let title = "\(mark.name): \(HTML.quantity(mark.cost, unit: axis.base)), \(HTML.number(mark.kl)) nats"
        return "<circle class=\(kind) r=5 cx=\"\(format(x(mark.cost, area)))\" cy=\"\(format(y(mark.kl, area)))\">"
            + "<title>\(HTML.escaped(title))</title></circle>"
    }

    private func axes(_ area: Area) -> String {
        let bottom = height - margin.bottom
        var parts = [
            "<path class=axis d=\"M\(margin.left) \(margin.top)V\(bottom)H\(width - margin.right)\"/>",
            "<text x=\"\(width / 2)\" y=\"\(height - 6)\" text-anchor=middle>\(axis.title)</text>",
            "<text x=14 y=\"\(height / 2)\" text-anchor=middle transform=\"rotate(-90 14 \(height / 2))\">KL (nats)</text>",
        ]
        for step in 0...4 {
            let share = Double(step) / 4
            let cost = area.cost.lowerBound + share * (area.cost.upperBound - area.cost.lowerBound)
            let kl = pow(10, area.kl.lowerBound + share * (area.kl.upperBound - area.kl.lowerBound))
            parts.append(
                "<text x=\"\(format(x(cost, area)))\" y=\"\(bottom + 16)\" text-anchor=middle>"
                    + "\(HTML.number(cost / axis.unit, digits: 3))</text>")
            parts.append(
                "<text x=\"\(margin.left - 6)\" y=\"\(format(y(kl, area) + 4))\" text-anchor=end>"
                    + "\(HTML.number(kl, digits: 2))</text>")
        }
        return parts.joined(separator: "\n")
    }
}
