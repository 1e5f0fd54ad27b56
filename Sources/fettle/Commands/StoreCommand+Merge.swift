internal import ArgumentParser
internal import Foundation
internal import Tuning

/// `fettle store merge`.
struct StoreMergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Joins the shards of a store, or other stores, into it.",
        discussion: """
            Without directories it takes the shards that `fettle score --shard` left in the store's own directory, and removes \
            them once all are there.
            """)

    @Argument(help: "Directories of other stores.")
    var directories: [String] = []

    @OptionGroup var options: StoreOptions

    func run() throws {
        let location = try options.location
        let parts = StoreParts(location)
        let paths = directories.isEmpty ? parts.databases : directories.map { "\($0)/scores.sqlite" }
        guard !paths.isEmpty else {
            throw ValidationError(
                "\(location.directory) has no shards; run fettle score --shard first, or name stores.")
        }
        let store = try ScoreStore(path: location.database)
        for path in paths {
            guard FileManager.default.fileExists(atPath: path) else {
                throw ValidationError("\(path) is not there; name directories of score stores.")
            }
            print("\(path): \(try store.merge(try ScoreStore(path: path))) new")
        }
        guard directories.isEmpty else { return }
        let missing = parts.missing
        guard missing.isEmpty else {
            throw TuningError(
                .badInput, place: location.directory,
                "shards that are not done: \(missing.joined(separator: ", ")); run them and merge again")
        }
        try parts.remove()
    }
}
