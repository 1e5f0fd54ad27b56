import Foundation
import PackagePlugin

/// Checks Profiles/*.yaml and Profiles/families/*.yaml and compiles their texts into the target; a mistake in one fails
/// the build at its file, line and column.
@main
struct EmbedProfiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL
        // The inputs come from the disk on every planning; SwiftPM plans again when this target's folder changes.
        let inputs = try [folder, folder.appending(path: "families")].flatMap { folder in
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }
        }
        let output = context.pluginWorkDirectoryURL.appending(path: "ShippedProfiles+All.swift")
        return [
            .buildCommand(
                displayName: "Checking \(inputs.count) device profiles",
                executable: try context.tool(named: "profile-check").url,
                arguments: [folder.path, "--embed", output.path],
                inputFiles: inputs, outputFiles: [output])
        ]
    }
}
