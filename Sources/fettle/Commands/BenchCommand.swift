internal import ArgumentParser
internal import Bundles
internal import Compute
internal import Foundation
internal import IntegerRuntime
internal import ModelFiles

/// `fettle bench`: how fast a bundle runs here.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times prefill and decode of a bundle on this machine; prints medians.")

    @Argument(help: "A bundle, or a model.")
    var bundle: String

    @Option(help: "Tokens of the prompt.")
    var prefill = 512

    @Option(help: "Tokens to decode, from an empty cache.")
    var decode = 64

    @Option(help: "How often each is run.")
    var `repeat` = 5

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard prefill > 0, decode > 0, `repeat` > 0 else {
            throw ValidationError("--prefill, --decode and --repeat must be at least 1.")
        }
    }

    func run() throws {
        let pool = try machine.pool
        let subject = try RunnableModel(path: bundle, pool: pool)
        let limit = subject.configuration.context
        let model = try subject.model(context: min(limit, max(prefill, decode)))
        let prompt = tokens(min(prefill, limit), of: subject)
        let steps = tokens(min(decode, limit), of: subject)
        var prefillSeconds: [Double] = []
        var decodeSeconds: [Double] = []
        // One run of each unmeasured: it faults in the arena and wakes the threads.
        for round in 0...`repeat` {
            let prefillTime = try seconds {
                try model.forward(tokens: prompt, cache: try model.makeCache(), logits: .last)
            }
            let decodeTime = try seconds {
                let cache = try model.makeCache()
                for token in steps { try model.forward(tokens: [token], cache: cache, logits: .last) }
            }
            guard round > 0 else { continue }
            prefillSeconds.append(prefillTime)
            decodeSeconds.append(decodeTime)
        }
        let outcome = Outcome(
            prefillTokensPerSecond: Double(prompt.count) / median(prefillSeconds),
            decodeTokensPerSecond: Double(steps.count) / median(decodeSeconds), threads: pool.threads,
            instructionSet: pool.instructionSet.rawValue)
        if json { return try Console.json(outcome) }
        print(String(format: "prefill %d: %.1f tokens/s", prompt.count, outcome.prefillTokensPerSecond))
        print(String(format: "decode %d:  %.1f tokens/s", steps.count, outcome.decodeTokensPerSecond))
        print("median of \(`repeat`), \(pool.threads) threads, \(pool.instructionSet.rawValue)")
    }

    private struct Outcome: Encodable {
        let prefillTokensPerSecond: Double
        let decodeTokensPerSecond: Double
        let threads: Int
        let instructionSet: String

        enum CodingKeys: String, CodingKey {
            case threads
            case prefillTokensPerSecond = "prefill_tokens_per_second"
            case decodeTokensPerSecond = "decode_tokens_per_second"
            case instructionSet = "instruction_set"
        }
    }

    /// Tokens that touch many rows of the embedding.
    private func tokens(_ count: Int, of subject: RunnableModel) -> [Int32] {
        (0..<count).map { Int32(($0 * 7919 + 13) % subject.configuration.vocabulary) }
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let elapsed = try clock.measure(body)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
