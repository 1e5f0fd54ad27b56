internal import ArgumentParser
internal import DeviceProfiles
internal import Foundation
internal import ModelFiles
internal import Tuning

/// `fettle solve`: the solver alone, on an instance that `tune --problem` wrote or that somebody changed since.
struct SolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solve",
        abstract: "Solves an instance as `tune --problem` writes it, to a proof where time allows.")

    @Argument(help: "The instance: groups, fixed, limits, objective.")
    var problem: String

    @Option(help: "Stop after this time, for instance 1s, with the best choices and the bound so far.")
    var timeLimit: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let limit = try timeLimit.map { try TimeLimit.seconds($0) }
        guard let data = FileManager.default.contents(atPath: problem) else {
            throw ModelError(.unreadable, file: problem, "cannot be read; give a file that tune --problem wrote")
        }
        let instance: Problem
        do {
            instance = try JSONDecoder().decode(Problem.self, from: data).checked()
        } catch {
            throw ModelError(
                .malformed, file: problem,
                "is not an instance: \(error); give a file that tune --problem wrote")
        }
        let clock = ContinuousClock()
        let start = clock.now
        let solver = Solver(effort: .thorough, isStopped: { limit.map { start.duration(to: clock.now) > $0 } ?? false })
        do {
            let solution = try solver.solve(instance)
            try show(solution, of: instance, seconds: start.duration(to: clock.now) / .seconds(1))
        } catch let error as Infeasibility {
            throw TuningError(.infeasible, place: problem, error.explanation(of: instance))
        }
    }

    private func show(_ solution: Solution, of instance: Problem, seconds: Double) throws {
        if json {
            return try Console.json(
                Outcome(
                    solution: solution.chosen, value: solution.value, bound: solution.bound, gap: solution.gap,
                    seconds: seconds))
        }
        for (group, index) in zip(instance.groups, solution.chosen) {
            print("\(group.name)  \(group.choices[index].name)")
        }
        print(
            String(
                format: "%@ %.6g, proven lower bound %.6g, %.2f s", instance.objective.rawValue, solution.value,
                solution.bound, seconds))
    }

    private struct Outcome: Encodable {
        let solution: [Int]
        let value: Double
        let bound: Double
        let gap: Double
        let seconds: Double
    }
}

/// A time that a command may take, as it is written on the command line.
enum TimeLimit {
    /// `text`, such as `90s` or `10m`.
    static func seconds(_ text: String) throws -> Duration {
        guard let seconds = try? Quantity(text, as: .time).value, seconds > 0 else {
            throw ValidationError("--time-limit is \"\(text)\"; write a time such as 90s or 10m.")
        }
        return .seconds(seconds)
    }
}
