import PackagePlugin

@main
struct LintProfiles: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {}
}
