import Foundation
import PackagePlugin

/// `swift package lint-profiles`: checks every profile of the package, or of the folders given.
@main
struct LintProfiles: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        let tool = try context.tool(named: "profile-check").url
        let folders = arguments.isEmpty ? [context.package.directoryURL.appending(path: "Profiles").path] : arguments
        for folder in folders {
            let process = try Process.run(tool, arguments: [folder])
            process.waitUntilExit()
            if process.terminationStatus != 0 { Diagnostics.error("the device profiles in \(folder) have mistakes") }
        }
    }
}
