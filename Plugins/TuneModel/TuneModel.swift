import Foundation
import PackagePlugin

/// `swift package --allow-writing-to-package-directory tune MODEL --profile NAME`: `fettle tune` with everything kept inside
/// the package: bundles in bundles/, scores in .build/fettle-store.
@main
struct TuneModel: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        // In release: the kernels of a debug build are tens of times slower, and a plugin's own tools are built in debug.
        let build = try packageManager.build(
            .product("fettle"), parameters: .init(configuration: .release, echoLogs: true))
        guard build.succeeded, let tool = build.builtArtifacts.first(where: { $0.kind == .executable }) else {
            Diagnostics.error("fettle does not build:\n\(build.logText)")
            return
        }
        let package = context.package.directoryURL
        var all = ["tune"] + arguments
        for (option, folder) in [("--out", "bundles"), ("--store", ".build/fettle-store")] {
            if !arguments.contains(where: { $0 == option || $0.hasPrefix("\(option)=") }) {
                all += [option, package.appending(path: folder).path]
            }
        }
        let process = try Process.run(tool.url, arguments: all)
        process.waitUntilExit()
        // Exit at once: a thrown error would turn every status into 1, and 3 (a goal is not met) means something else.
        if process.terminationStatus != 0 { exit(process.terminationStatus) }
    }
}
