internal import ArgumentParser
internal import DeviceProfiles

/// `fettle profile list`: a table of the known profiles.
struct ProfileListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the known profiles.")

    @OptionGroup var options: ProfileOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let library = options.library
        var profiles: [(name: String, profile: DeviceProfile)] = []
        var isSound = true
        for name in library.names {
            do throws(ProfileError) {
                profiles.append((name, try library.load(name)))
            } catch {
                error.report()
                isSound = false
            }
        }
        print(json ? Self.list(profiles).pretty : Self.table(profiles))
        if !isSound { throw ExitCode(4) }
    }

    private static func list(_ profiles: [(name: String, profile: DeviceProfile)]) -> CanonicalJSON {
        .list(
            profiles.map { name, profile in
                var entry: [String: CanonicalJSON] = [
                    "name": .text(name), "runtime": .text(profile.runtime.rawValue),
                    "description": .text(profile.description), "digest": .text(profile.digest),
                ]
                entry["budget"] = profile.memory.budget.map { .integer($0) }
                entry["storage"] = profile.memory.storage.map { .integer($0) }
                return .map(entry)
            })
    }

    private static func table(_ profiles: [(name: String, profile: DeviceProfile)]) -> String {
        var rows = [["NAME", "RUNTIME", "BUDGET", "STORAGE", "DESCRIPTION"]]
        rows += profiles.map { name, profile in
            [
                name, profile.runtime.rawValue, size(profile.memory.budget), size(profile.memory.storage),
                profile.description,
            ]
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                // Names to the left, numbers to the right.
                return column < 2 ? cell.0 + space : space + cell.0
            }
            return (cells + [row[4]]).joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Bytes in MB with one decimal, rounded down: a limit must not look larger than it is.
    private static func size(_ bytes: Int?) -> String {
        guard let bytes else { return "-" }
        return "\(bytes / 1_000_000).\(bytes / 100_000 % 10) MB"
    }
}
