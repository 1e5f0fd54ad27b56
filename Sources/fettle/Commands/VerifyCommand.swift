internal import ArgumentParser
internal import Bundles
internal import Compute
internal import DeviceProfiles
internal import Foundation
internal import ModelFiles
internal import Quantization
internal import Tuning

/// `fettle verify`: is the bundle whole, does it answer as it did when it was made, does it keep its promises here?
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks a bundle: checksums, golden vectors, verdicts measured again.")

    @Argument(help: "A bundle.")
    var bundle: String

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try Checksums(directory: bundle).verify(directory: bundle)
        let directory = try BundleDirectory(path: bundle)
        let context = directory.servedContext
        let model = try directory.model(context: context, pool: try machine.pool)
        let golden = try GoldenVectors(directory: bundle)
        let failures = try golden.failures(of: model)
        let verdicts = try measuredAgain(directory)
        let isGood = failures.isEmpty && verdicts.allSatisfy(\.met)
        if json {
            try Console.json(
                Outcome(
                    checksums: true, goldenVectors: golden.vectors.count, goldenFailures: failures.map(\.prompt),
                    mode: directory.mode, verdicts: verdicts))
        } else {
            print("checksums       ok")
            print(
                "golden vectors  \(golden.vectors.count - failures.count) of \(golden.vectors.count) answered the same "
                    + "(mode \(directory.mode), \(try machine.pool.instructionSet.rawValue))")
            print(VerdictTable.text(verdicts))
        }
        guard failures.isEmpty else {
            throw BundleError(
                .malformed, file: "\(bundle)/\(GoldenVectors.fileName)",
                "\(failures.count) prompts are answered otherwise; the weights or this program are damaged")
        }
        if !isGood { throw ExitStatus.unmet(verdicts) }
    }

    /// The manifest's verdicts with what this machine can measure measured anew.
    private func measuredAgain(_ directory: BundleDirectory) throws -> [Verdict] {
        try directory.manifest.verdicts.map { verdict in
            var result = verdict
            switch verdict.constraint {
            case "memory.storage":
                let stored = Double(try directory.storedBytes)
                result.measured = stored
                result.met = stored <= result.goal
            case "memory.budget": result.note(ResidentMeasurement(bundle: bundle))
            default: return verdict
            }
            return result
        }
    }

    private struct Outcome: Encodable {
        let checksums: Bool
        let goldenVectors: Int
        let goldenFailures: [String]
        let mode: String
        let verdicts: [Verdict]

        enum CodingKeys: String, CodingKey {
            case checksums, mode, verdicts
            case goldenVectors = "golden_vectors"
            case goldenFailures = "golden_failures"
        }
    }
}
