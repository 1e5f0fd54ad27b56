import Foundation
import PackagePlugin

/// `swift package lint-profiles`: checks every profile of the package, or of the folders given.
@main
struct LintProfiles: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        // In release, as everything else here is built: a plugin's own tools would be built a second time in debug.
        let build = try packageManager.build(
            .product("profile-check"), parameters: .init(configuration: .release, echoLogs: false))
        guard build.succeeded, let tool = build.builtArtifacts.first(where: { $0.kind == .executable }) else {
            Diagnostics.error("profile-check does not build:\n\(build.logText)")
            return
        }
        let folders = arguments.isEmpty ? [context.package.directoryURL.appending(path: "Profiles").path] : arguments
        for folder in folders {
            let process = try Process.run(tool.url, arguments: [folder])
            process.waitUntilExit()
            if process.terminationStatus != 0 { Diagnostics.error("the device profiles in \(folder) have mistakes") }
        }
    }
}
