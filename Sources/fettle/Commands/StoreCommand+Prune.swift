internal import ArgumentParser
internal import DeviceProfiles
internal import Foundation
internal import Tuning

/// `fettle store prune`.
struct StorePruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Removes what was not used for longest; other processes may go on using the store.")

    @OptionGroup var options: StoreOptions

    @Option(help: ArgumentHelp("The most that may stay, for instance 500 MB.", valueName: "size"))
    var maxSize: String?

    @Option(help: ArgumentHelp("Remove what was not used for this many days.", valueName: "days"))
    var unusedFor: Double?

    func validate() throws {
        guard maxSize != nil || unusedFor != nil else { throw ValidationError("Give --max-size or --unused-for.") }
        guard unusedFor.map({ $0 >= 0 }) ?? true else { throw ValidationError("--unused-for must not be negative.") }
    }

    func run() throws {
        let bytes = try maxSize.map { text in
            guard let size = try? Quantity(text, as: .size).value, size >= 0 else {
                throw ValidationError("--max-size is \"\(text)\"; write a size such as 500 MB.")
            }
            return Int(size)
        }
        let now = Date().timeIntervalSince1970
        let pruned = try ScoreStore(path: try options.location.database)
            .prune(to: bytes, before: unusedFor.map { now - 86_400 * $0 })
        print("\(pruned.contexts) removed; \(pruned.bytesBefore) B before, \(pruned.bytesAfter) B after")
    }
}
