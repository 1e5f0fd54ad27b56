internal import DeviceProfiles
internal import Foundation

/// A quality goal that the best plan misses, in words.
struct QualityShortfall {
    let metric: QualityGoal.Metric
    let goal: Double
    let measured: Double

    /// What the best plan has, by how much the goal would have to give, and what else helps.
    var explanation: String {
        let isAgreement = metric == .top1
        // Rounded away from the goal, so that giving what is written is enough.
        func written(_ number: Double) -> String {
            let digits = 1e4
            let rounded = (number * digits).rounded(isAgreement ? .down : .up) / digits
            return String(format: "%.4f", rounded) + (metric == .kl ? " nats" : "")
        }
        return
            "quality.goal of \(String(format: "%.6g", goal)) is out of reach: the best plan that keeps the other limits "
            + "has \(written(measured)) on the evaluation text, \(written(isAgreement ? goal - measured : measured - goal)) "
            + "\(isAgreement ? "less" : "more"); set the goal to \(written(measured)), give the other limits more, or take "
            + "the nearest plan with --nearest"
    }
}
