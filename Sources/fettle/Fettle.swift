internal import ArgumentParser

/// The command line: one file per subcommand.
@main
struct Fettle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fettle",
        abstract: "Finds, layer by layer, the quantization of a language model that fits a device with the least loss.")
}
