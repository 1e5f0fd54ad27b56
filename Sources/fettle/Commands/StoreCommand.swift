internal import ArgumentParser
internal import Foundation
internal import Tuning

/// `fettle store`: what the score store holds, and its size.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Shows, prunes and merges score stores.",
        subcommands: [StoreInfoCommand.self, StorePruneCommand.self, StoreMergeCommand.self])
}

/// Which store a command is about.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Directory of the score store.", valueName: "dir"))
    var store: String?

    /// Where it is.
    var location: StoreLocation { get throws { try StoreLocation(option: store) } }
}

/// `fettle store info`.
struct StoreInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Lists what a store holds, what was used last first.")

    @OptionGroup var options: StoreOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let contents = try ScoreStore(path: try options.location.database).contents()
        if json { return try Console.json(contents) }
        print("\(contents.path): \(contents.bytes) B, contents \(contents.digest)")
        guard !contents.entries.isEmpty else { return print("it is empty") }
        let format = ISO8601DateFormatter()
        var table = TextTable(["scores", "vectors", "bytes", "used", "of"])
        for entry in contents.entries {
            table.append([
                "\(entry.scores)", "\(entry.vectors)", "\(entry.bytes)",
                format.string(from: Date(timeIntervalSince1970: entry.used)), entry.context,
            ])
        }
        print(table.text)
    }
}
