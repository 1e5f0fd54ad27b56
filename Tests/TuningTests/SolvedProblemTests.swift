import Foundation
import Testing
import Tuning

/// The file that `fettle tune --problem` writes.
struct SolvedProblemTests {
    @Test func hasTheKeysOfTheDesign() throws {
        let option = Problem.Option(name: "q4_0", costs: Costs(sensitivity: 0.5, resident: 18, stored: 18))
        let problem = Problem(
            groups: [.init(name: "blk.0.ffn_down", choices: [option])], fixed: Costs(stored: 3),
            limits: .init([.stored: 30]), objective: .sensitivity)
        let solved = SolvedProblem(problem, try Solver().solve(problem))
        let data = try JSONEncoder().encode(solved)
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(json.keys) == ["groups", "fixed", "limits", "objective", "solution", "value", "bound"])
        let limits = try #require(json["limits"] as? [String: Any])
        #expect(Set(limits.keys) == Set(CostKey.allCases.map(\.rawValue)))
        #expect(limits["resident"] is NSNull)
        #expect(limits["stored"] as? Double == 30)
        let groups = try #require(json["groups"] as? [[String: Any]])
        let choice = try #require((groups[0]["choices"] as? [[String: Any]])?.first)
        #expect(Set(choice.keys) == Set(CostKey.allCases.map(\.rawValue) + ["name"]))
        #expect(json["objective"] as? String == "sensitivity")
        #expect(json["solution"] as? [Int] == [0])
        #expect(try JSONDecoder().decode(SolvedProblem.self, from: data) == solved)
    }
}
