internal import Foundation

/// What `fettle tune --json` prints, as far as the daemon wants to know it.
struct TuneAnswer: Decodable {
    struct Verdict: Decodable {
        let constraint: String
        let goal: Double
        let predicted: Double
        let measured: Double?
        let unmeasured: String?
        let unit: String
        let met: Bool
    }

    let verdicts: [Verdict]

    /// The goals that a bundle was measured to miss, in a sentence; nil where there are none.
    static func missedGoals(_ output: [UInt8]) -> String? {
        let answers = (try? JSONDecoder().decode([TuneAnswer].self, from: Data(output))) ?? []
        let missed = answers.flatMap(\.verdicts).filter { !$0.met }.map { verdict in
            verdict.unmeasured.map { "\(verdict.constraint) is not measured: \($0)" }
                ?? "\(verdict.constraint) is \(verdict.measured ?? verdict.predicted) \(verdict.unit), over the goal of "
                + "\(verdict.goal) \(verdict.unit)"
        }
        return missed.isEmpty ? nil : missed.joined(separator: "; ")
    }
}
