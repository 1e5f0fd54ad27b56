package import DeviceProfiles

/// What a GGUF bundle carries for people: how llama.cpp and Ollama start it.
package struct LlamaCppFiles: Sendable {
    private let profile: DeviceProfile
    private let context: Int
    private let kv: String

    /// Files for `profile`, with the context and the cache format that the plan counted on.
    package init(profile: DeviceProfile, context: Int, kv: String) {
        self.profile = profile
        self.context = context
        self.kv = kv
    }

    /// A Modelfile for `ollama create`.
    package var modelfile: String { "FROM ./model.gguf\nPARAMETER num_ctx \(context)\n" }

    /// The line that serves the model.
    package var serverLine: String {
        let cache = ["f16": "f16", "int8": "q8_0", "int4": "q4_0"][kv] ?? kv
        let threads = profile.compute.cores.map { " --threads \($0)" } ?? ""
        return "llama-server --model model.gguf --ctx-size \(context) --cache-type-k \(cache) --cache-type-v \(cache)"
            + "\(threads)\n"
    }
}
