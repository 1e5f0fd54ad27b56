import PackagePlugin

@main
struct TuneModel: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {}
}
