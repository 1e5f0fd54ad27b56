/// What measured plans say about the scores: a factor for each kind of group, by ridge regression.
///
/// A plan i with the sum of scores S_ik in kind k measured M_i. Factors c_k minimise
///
///     sum over i of (sum over k of c_k S_ik / M_i - 1)^2 + lambda * sum over k of (c_k / c - 1)^2
///
/// where c is the best common factor: with few plans the kinds stay near it.
package struct ScoreCorrection: Equatable {
    /// The factor of each kind.
    package let factors: [Double]

    /// Measurements err by a percent or two, kinds differ by a third: the ratio of these variances.
    private static let lambda = 0.0025
    /// No kind is taken to differ by more from the others.
    private static let reach = 3.0

    /// The correction that `plans` ask for: the sum of scores by kind, and the measured divergence.
    package init(plans: [(sums: [Double], measured: Double)], kinds: Int) {
        let rows = plans.filter { $0.measured > 0 }.map { plan in plan.sums.map { $0 / plan.measured } }
        let totals = rows.map { $0.reduce(0, +) }
        let squares = totals.reduce(0) { $0 + $1 * $1 }
        guard squares > 0 else {
            factors = [Double](repeating: 1, count: kinds)
            return
        }
        let common = totals.reduce(0, +) / squares
        // In units of the common factor: (A'A + lambda I) d = A'(1 - A 1), c = common * (1 + d).
        let scaled = rows.map { $0.map { $0 * common } }
        var matrix = (0..<kinds).map { row in
            (0..<kinds).map { column in
                scaled.reduce(0) { $0 + $1[row] * $1[column] } + (row == column ? Self.lambda : 0)
            }
        }
        var right = (0..<kinds).map { row in
            scaled.reduce(0) { $0 + $1[row] * (1 - $1.reduce(0, +)) }
        }
        // Positive definite: elimination needs no pivoting.
        for pivot in 0..<kinds {
            for row in pivot + 1..<max(pivot + 1, kinds) {
                let share = matrix[row][pivot] / matrix[pivot][pivot]
                for column in pivot..<kinds { matrix[row][column] -= share * matrix[pivot][column] }
                right[row] -= share * right[pivot]
            }
        }
        var solution = right
        for row in (0..<kinds).reversed() {
            for column in row + 1..<max(row + 1, kinds) { solution[row] -= matrix[row][column] * solution[column] }
            solution[row] /= matrix[row][row]
        }
        factors = solution.map { common * min(max(1 + $0, 1 / Self.reach), Self.reach) }
    }
}
