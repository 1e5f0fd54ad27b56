internal import Foundation
internal import Tuning

/// The verdicts of a bundle as a table: goal, predicted, measured.
enum VerdictTable {
    /// The table, or a sentence where the profile sets no goal.
    static func text(_ verdicts: [Verdict]) -> String {
        guard !verdicts.isEmpty else { return "the profile sets no goal" }
        var table = TextTable(["constraint", "goal", "predicted", "measured", "unit", "verdict"])
        for verdict in verdicts {
            table.append([
                verdict.constraint, number(verdict.goal, verdict.unit), number(verdict.predicted, verdict.unit),
                verdict.measured.map { number($0, verdict.unit) } ?? "-", verdict.unit,
                verdict.met ? "met" : verdict.unmeasured == nil ? "NOT MET" : "NOT MEASURED",
            ])
        }
        let notes = verdicts.compactMap { verdict in
            verdict.unmeasured.map { "\(verdict.constraint) is not measured: \($0)" }
        }
        return ([table.text] + notes).joined(separator: "\n")
    }

    private static func number(_ value: Double, _ unit: String) -> String {
        unit == "B" ? String(format: "%.0f", value) : String(format: "%.4g", value)
    }
}
