internal import ArgumentParser
internal import Daemon

/// `fettle service`: what the system needs to run the daemon.
struct ServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "Prints what the system needs to run the daemon.",
        subcommands: [Unit.self])

    /// `fettle service unit`: a unit file for systemd.
    struct Unit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a unit file for systemd: fettle service unit > /etc/systemd/system/fettle.service")

        @Option(help: "The daemon's configuration.") var config = "/etc/fettle/fettle.yaml"

        func validate() throws {
            guard config.hasPrefix("/") else { throw ValidationError("--config must be an absolute path.") }
        }

        func run() throws {
            print(SystemdUnit(executable: try Executable.path, configuration: config).text, terminator: "")
        }
    }
}
