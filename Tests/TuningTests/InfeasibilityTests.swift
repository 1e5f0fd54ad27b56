import Testing
import Tuning

/// Why there is no plan: what is named must be what is in the way, and giving what is named must be enough.
struct InfeasibilityTests {
    private static let keys: [CostKey] = [.resident, .stored, .prefill, .decode, .energy]

    /// An instance whose limits can each be met alone by a little.
    private static func tight(seed: UInt64) -> Problem {
        SolverTests.problem(groups: 5, choices: 4, keys: keys, tightness: 0.06, seed: seed)
    }

    @Test func givingWhatIsNamedIsEnoughAndLessIsNot() throws {
        var alone = 0
        for seed in 0..<60 {
            let problem = Self.tight(seed: UInt64(seed))
            guard SolverTests.bruteForce(problem) == nil else { continue }
            let error = try #require(throws: Infeasibility.self) { _ = try Solver().solve(problem) }
            #expect(error.isProven)
            #expect(!error.nearest.isEmpty)
            var relaxed = problem
            for shortfall in error.nearest { relaxed.limits[shortfall.key] = shortfall.least }
            #expect(relaxed.isFeasible(error.nearestChosen))
            _ = try Solver().solve(relaxed)
            for remedy in error.remedies {
                alone += 1
                var relaxed = problem
                relaxed.limits[remedy.key] = remedy.least
                let plan = try Solver().solve(relaxed)
                #expect(relaxed.isFeasible(plan.chosen))
                relaxed.limits[remedy.key] = remedy.least - 1e-3 * (remedy.least - remedy.limit)
                #expect(SolverTests.bruteForce(relaxed) == nil, "seed \(seed): less would do")
            }
        }
        #expect(alone > 5)
    }

    @Test func noLimitOfAConflictCanBeLeftOut() throws {
        var found = 0
        for seed in 100..<160 {
            let problem = Self.tight(seed: UInt64(seed))
            guard SolverTests.bruteForce(problem) == nil else { continue }
            let error = try #require(throws: Infeasibility.self) { _ = try Solver().solve(problem) }
            guard error.unattainable.isEmpty else { continue }
            found += 1
            func isFeasible(_ keys: [CostKey]) -> Bool {
                var part = problem
                for key in Self.keys where !keys.contains(key) { part.limits[key] = nil }
                return SolverTests.bruteForce(part) != nil
            }
            #expect(error.conflict.count >= 2)
            #expect(!isFeasible(error.conflict))
            for key in error.conflict { #expect(isFeasible(error.conflict.filter { $0 != key })) }
        }
        #expect(found > 5)
    }

    @Test func saysWhichLimitsAreOutOfReachAndByHowMuch() throws {
        var problem = SolverTests.problem(groups: 4, choices: 3, keys: [.resident, .stored], tightness: 2, seed: 9)
        let least = problem.groups.reduce(problem.fixed.stored) {
            $0 + ($1.choices.map(\.costs.stored).min() ?? 0)
        }
        problem.limits[.stored] = least - 10
        let error = try #require(throws: Infeasibility.self) { _ = try Solver().solve(problem) }
        let shortfall = try #require(error.unattainable.first)
        #expect(error.unattainable.count == 1)
        #expect(shortfall.key == .stored)
        #expect(shortfall.least - shortfall.limit == 10)
        #expect(error.explanation(of: problem).contains("10 B more"))
    }

    /// What is written is rounded up: 1.00001 s would not be enough at 1.000 s.
    @Test func writtenAmountsAreEnough() throws {
        let choice = Problem.Option(name: "only", costs: Costs(resident: 1000.5, decode: 0.100001))
        var problem = Problem(
            groups: [.init(name: "g", choices: [choice])], fixed: Costs(),
            limits: .init([.decode: 0.1, .resident: 500]),
            objective: .sensitivity)
        let error = try #require(throws: Infeasibility.self) { _ = try Solver().solve(problem) }
        let text = error.explanation(of: problem, reserved: 24)
        #expect(text.contains("memory.budget of 524 B is out of reach: the cheapest plan needs 1025 B, 501 B more"))
        #expect(text.contains("latency.decode of 0.1 s is out of reach: the cheapest plan needs 0.1001 s"), "\(text)")
        problem.limits[.decode] = 0.1001
        problem.limits[.resident] = 1001
        #expect(try Solver().solve(problem).chosen == [0])
    }
}
