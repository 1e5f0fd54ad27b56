internal import ArgumentParser
internal import DeviceProfiles

/// `fettle profile check FILE...`: whether files are right, with the place and the remedy where they are not.
struct ProfileCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks profile files; exits with 4 where one has a mistake.")

    @Argument(help: "Profile files.") var files: [String]
    @OptionGroup var options: ProfileOptions

    func run() throws {
        let library = options.library
        var isSound = true
        for file in files {
            do throws(ProfileError) {
                _ = try library.load(file: file)
                print("\(file): ok")
            } catch {
                Console.message(error.description)
                isSound = false
            }
        }
        if !isSound { throw ExitCode(ExitStatus.badInput.rawValue) }
    }
}
