internal import ArgumentParser
internal import DeviceProfiles

/// `fettle profile schema`: the JSON Schema of profiles, for editors.
struct ProfileSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the JSON Schema (draft 2020-12) of profiles, for editors.")

    func run() {
        print(JSONSchema(title: "Fettle device profile", fields: DeviceProfile.fields).document.pretty)
    }
}
