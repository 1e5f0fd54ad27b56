internal import Foundation
internal import Tuning

/// Quality against stored bytes as an SVG picture: the front, the chosen plan, the baselines.
struct ParetoChart {
    let front: [TuningResult.ParetoPoint]
    let chosen: (bytes: Int, kl: Double)
    let baselines: [TuningResult.Baseline]

    private let width = 640.0
    private let height = 300.0
    private let margin = (left: 64.0, right: 16.0, top: 16.0, bottom: 40.0)

    /// The picture, or a sentence where there is nothing to draw.
    var html: String {
        guard front.count > 1 else { return "<p>The search had no freedom: there is no front to draw.</p>" }
        let points = front.map { (Double($0.storedBytes), $0.predictedKL) }
        let marks = baselines.map { (Double($0.storedBytes), $0.kl) } + [(Double(chosen.bytes), chosen.kl)]
        let area = Area(points: points + marks)
        let line = points.sorted { $0.0 < $1.0 }.map { point in
            "\(format(x(point.0, area))),\(format(y(point.1, area)))"
        }
        var parts = [
            "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=img aria-label=\"KL divergence against stored bytes\">",
            axes(area),
            "<polyline class=front points=\"\(line.joined(separator: " "))\"/>",
        ]
        for baseline in baselines {
            parts.append(mark("baseline", Double(baseline.storedBytes), baseline.kl, baseline.name, area))
        }
        parts.append(mark("chosen", Double(chosen.bytes), chosen.kl, "this bundle", area))
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    private struct Area {
        let bytes: ClosedRange<Double>
        /// Logarithms: fronts fall by orders of magnitude.
        let kl: ClosedRange<Double>

        init(points: [(Double, Double)]) {
            let x = points.map(\.0)
            let y = points.map { log10(max($0.1, 1e-9)) }
            bytes = (x.min() ?? 0)...max(x.max() ?? 1, (x.min() ?? 0) + 1)
            kl = (y.min() ?? 0)...max(y.max() ?? 1, (y.min() ?? 0) + 1e-3)
        }
    }

    private func x(_ bytes: Double, _ area: Area) -> Double {
        let share = (bytes - area.bytes.lowerBound) / (area.bytes.upperBound - area.bytes.lowerBound)
        return margin.left + share * (width - margin.left - margin.right)
    }

    private func y(_ kl: Double, _ area: Area) -> Double {
        let share = (log10(max(kl, 1e-9)) - area.kl.lowerBound) / (area.kl.upperBound - area.kl.lowerBound)
        return height - margin.bottom - share * (height - margin.top - margin.bottom)
    }

    private func format(_ value: Double) -> String { String(format: "%.1f", value) }

    private func mark(_ kind: String, _ bytes: Double, _ kl: Double, _ name: String, _ area: Area) -> String {
        let title = "\(name): \(HTML.count(Int(bytes))) B, \(HTML.number(kl)) nats"
        return "<circle class=\(kind) r=5 cx=\"\(format(x(bytes, area)))\" cy=\"\(format(y(kl, area)))\">"
            + "<title>\(HTML.escaped(title))</title></circle>"
    }

    private func axes(_ area: Area) -> String {
        let bottom = height - margin.bottom
        var parts = [
            "<path class=axis d=\"M\(margin.left) \(margin.top)V\(bottom)H\(width - margin.right)\"/>",
            "<text x=\"\(width / 2)\" y=\"\(height - 6)\" text-anchor=middle>stored bytes (MB)</text>",
            "<text x=14 y=\"\(height / 2)\" text-anchor=middle transform=\"rotate(-90 14 \(height / 2))\">KL (nats)</text>",
        ]
        for step in 0...4 {
            let share = Double(step) / 4
            let bytes = area.bytes.lowerBound + share * (area.bytes.upperBound - area.bytes.lowerBound)
            let kl = pow(10, area.kl.lowerBound + share * (area.kl.upperBound - area.kl.lowerBound))
            parts.append(
                "<text x=\"\(format(x(bytes, area)))\" y=\"\(bottom + 16)\" text-anchor=middle>"
                    + "\(HTML.number(bytes / 1e6, digits: 3))</text>")
            parts.append(
                "<text x=\"\(margin.left - 6)\" y=\"\(format(y(kl, area) + 4))\" text-anchor=end>"
                    + "\(HTML.number(kl, digits: 2))</text>")
        }
        return parts.joined(separator: "\n")
    }
}
