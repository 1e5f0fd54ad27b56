/// The choices that a solver took, with the proof of how good they are.
package struct Solution: Sendable, Equatable, Codable {
    /// The index of each group's choice.
    package var chosen: [Int]
    /// The objective's sum over groups, `fixed` left out.
    package var value: Double
    /// No choice that keeps the limits has a lower value.
    package var bound: Double
    /// (value - bound) / |bound|; 0 where proven optimal.
    package var gap: Double
    /// What one more unit of a limit would take off the value: the multipliers of the Lagrangian bound. 0 where it does
    /// not bind.
    package var prices: Costs

    package init(chosen: [Int], value: Double, bound: Double, prices: Costs) {
        self.chosen = chosen
        self.value = value
        self.bound = min(bound, value)
        let difference = value - self.bound
        gap = difference <= 0 ? 0 : difference / max(abs(self.bound), .leastNormalMagnitude)
        self.prices = prices
    }
}

/// A problem with its solution in one flat object, as `fettle tune --problem` writes it.
package struct SolvedProblem: Sendable, Equatable, Codable {
    package var problem: Problem
    /// The index of each group's choice.
    package var solution: [Int]
    package var value: Double
    package var bound: Double

    package init(_ problem: Problem, _ solution: Solution) {
        self.problem = problem
        self.solution = solution.chosen
        value = solution.value
        bound = solution.bound
    }

    private enum CodingKeys: String, CodingKey { case solution, value, bound }

    package init(from decoder: any Decoder) throws {
        problem = try Problem(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        solution = try container.decode([Int].self, forKey: .solution)
        value = try container.decode(Double.self, forKey: .value)
        bound = try container.decode(Double.self, forKey: .bound)
    }

    package func encode(to encoder: any Encoder) throws {
        try problem.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(solution, forKey: .solution)
        try container.encode(value, forKey: .value)
        try container.encode(bound, forKey: .bound)
    }
}
