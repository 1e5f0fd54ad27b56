internal import ArgumentParser
internal import Compute
internal import Foundation
internal import ModelFiles
internal import Tuning

/// `fettle score`: the scores alone, or a part of them, so that several machines can share the work.
struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Measures the sensitivity of every choice, or of one shard's, and stores it.",
        discussion: """
            Run it once for each shard, 1/N to N/N, on any machines that share --store, then `fettle store merge`: the store \
            is the one that a single run would have made, bit for bit. A shard that was stopped is run again and goes on.
            """)

    @Argument(help: "A GGUF file or a Hugging Face directory.")
    var model: String

    @OptionGroup var search: SearchOptions

    @Option(help: ArgumentHelp("Which part to score.", valueName: "i/n"))
    var shard: String?

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Progress as JSON lines on stderr.")
    var json = false

    func run() throws {
        let shard = try shard.map { text in
            guard let shard = Shard(parsing: text) else {
                throw ValidationError("--shard is \"\(text)\"; write i/n with 1 <= i <= n, for instance 3/16.")
            }
            return shard
        }
        let profiles = try search.profiles()
        let options = try search.tuningOptions()
        let source = try Model.open(model)
        let location = try StoreLocation(option: search.store)
        let parts = StoreParts(location)
        let path = try shard.map { try parts.path(of: $0) } ?? location.database
        let pool = try machine.pool
        let interruption = Interruption()
        var display = ProgressDisplay(json: json)
        let tuner = Tuner(
            options: options, store: try ScoreStore(path: path), pool: pool,
            isCancelled: { interruption.isRequested },
            progress: { display.show(stage: $0.stage, fraction: $0.fraction, detail: $0.text) })
        try tuner.score(
            model: source, profiles: profiles,
            part: try shard.map { ($0, try SharedWork(directory: parts.sharedDirectory)) })
        display.finish()
        if let shard { try parts.markDone(shard) }
    }
}
