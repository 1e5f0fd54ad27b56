internal import ArgumentParser
internal import Bundles
internal import Compute
internal import Foundation
internal import IntegerRuntime
internal import ModelFiles

/// `fettle generate`: text from a bundle, on its own runtime.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Continues a prompt with a bundle, on the integer runtime.")

    @Argument(help: "A bundle, or a model.")
    var bundle: String

    @Option(help: "The text to continue.")
    var prompt: String

    @Option(help: "How many tokens to write at most.")
    var tokens = 64

    @Option(help: "0 always takes the likeliest token.")
    var temperature: Float = 0

    @Option(help: "Seed of the sampler.")
    var seed: UInt64 = 0

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        guard tokens > 0 else { throw ValidationError("--tokens must be at least 1.") }
        guard temperature >= 0 else { throw ValidationError("--temperature must not be negative.") }
    }

    func run() throws {
        let subject = try RunnableModel(path: bundle, pool: machine.pool)
        let tokenizer = subject.tokenizer
        let start = tokenizer.encode(prompt, parsingSpecial: true)
        let model = try subject.model(context: min(subject.configuration.context, start.count + tokens))
        var sampler = Sampler(temperature: temperature, seed: seed)
        print(prompt, terminator: "")
        try model.generate(
            prompt: start, count: tokens, sampler: &sampler, cache: try model.makeCache()
        ) { token in
            guard token != tokenizer.endOfText else { return false }
            FileHandle.standardOutput.write(Data(tokenizer.bytes(of: token)))
            return true
        }
        print()
    }
}
