internal import ArgumentParser
internal import DeviceProfiles
internal import Foundation
internal import Profiles

/// `fettle profile`: what devices are known, what a profile says, whether a file is right.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Lists, shows, checks and measures device profiles.",
        subcommands: [
            ProfileListCommand.self, ProfileShowCommand.self, ProfileCheckCommand.self, ProfileMeasureCommand.self,
            ProfileSchemaCommand.self,
        ])
}

/// Where profiles are looked up: the user's directories, then what ships.
struct ProfileOptions: ParsableArguments {
    @Option(
        name: .customLong("profiles"), parsing: .singleValue,
        help: ArgumentHelp("A directory of your own profiles; may be repeated.", valueName: "dir"))
    var directories: [String] = []

    func validate() throws {
        for directory in directories {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue
            else { throw ValidationError("--profiles \(directory): there is no such directory") }
        }
    }

    /// The library of this run.
    var library: ProfileLibrary {
        ProfileLibrary(directories: directories, shipped: ShippedProfiles.all)
    }
}
