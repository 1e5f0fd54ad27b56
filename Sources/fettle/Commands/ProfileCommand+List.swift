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
                Console.message(error.description)
                isSound = false
            }
        }
        print(json ? Self.list(profiles).pretty : Self.table(profiles))
        if !isSound { throw ExitCode(ExitStatus.badInput.rawValue) }
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
        var table = TextTable(["name", "runtime", "budget MB", "storage MB", "description"])
        for (name, profile) in profiles {
            table.append([
                name, profile.runtime.rawValue, megabytes(profile.memory.budget), megabytes(profile.memory.storage),
                profile.description,
            ])
        }
        return table.text
    }

    /// One decimal, rounded down: a limit must not look larger than it is.
    private static func megabytes(_ bytes: Int?) -> String {
        guard let bytes else { return "-" }
        return "\(bytes / 1_000_000).\(bytes / 100_000 % 10)"
    }
}
