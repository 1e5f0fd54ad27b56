internal import ArgumentParser
internal import Foundation

/// `fettle profile measure`: this machine as a profile.
struct ProfileMeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measures this machine (about a minute) and writes it as a profile with its kernels: table.")

    @Option(help: ArgumentHelp("Where to write it; standard output where it is not given.", valueName: "file"))
    var out: String?

    @OptionGroup var machine: MachineOptions

    func run() throws {
        var display = ProgressDisplay(json: false)
        let profile = try MeasuredProfile(
            pool: try machine.pool, memory: Int(ProcessInfo.processInfo.physicalMemory)
        ) { display.show(stage: "measure", fraction: $0, detail: "") }
        display.finish()
        guard let out else { return print(profile.yaml, terminator: "") }
        try profile.yaml.write(toFile: out, atomically: true, encoding: .utf8)
    }
}
