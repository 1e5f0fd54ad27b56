internal import ArgumentParser
internal import Bundles
internal import Foundation

/// The command line: one file per subcommand in Commands/.
@main
struct Fettle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fettle",
        abstract: "Finds, layer by layer, the quantization of a language model that fits a device with the least loss.",
        discussion: """
            Exit codes: 0 done and every goal met; 1 the system failed; 2 usage; 3 a goal is not met; 4 bad input; \
            5 interrupted (run it again: it goes on where it stopped).
            """,
        version: BundleManifest.program,
        subcommands: [
            TuneCommand.self, ScoreCommand.self, StoreCommand.self, EvalCommand.self, GenerateCommand.self,
            VerifyCommand.self, InspectCommand.self,
            BenchCommand.self, SolveCommand.self, ProfileCommand.self, DaemonCommand.self, StatusCommand.self,
            SubmitCommand.self,
            CancelCommand.self, RetryCommand.self, LogsCommand.self, ServiceCommand.self, ProbeCommand.self,
            MeasureCommand.self,
        ])

    /// Runs the command and ends the process with one of Fettle's exit codes; swift-argument-parser's own 64 becomes 2.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Foundation.exit(ExitStatus.report(error).rawValue)
        }
    }
}
