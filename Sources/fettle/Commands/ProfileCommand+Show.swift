internal import ArgumentParser
internal import DeviceProfiles

/// `fettle profile show NAME`: a profile with everything that it extends and every default.
struct ProfileShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a profile with what it extends, in base units (B, s, J, W).")

    @Argument(help: "A profile's name or file.") var name: String
    @OptionGroup var options: ProfileOptions
    @Flag(help: "Print canonical JSON, the text that the digest is made of.") var json = false

    func run() throws {
        let profile = try options.library.load(name)
        if json {
            print(profile.resolved)
            return
        }
        print("# \(profile.description.isEmpty ? profile.name : profile.description)")
        print("# digest \(profile.digest)")
        for line in profile.canonical.leaves {
            let place = profile.places[line.keyPath]?.description ?? "default"
            print("\(line.keyPath): \(line.value)  # \(place)")
        }
    }
}
