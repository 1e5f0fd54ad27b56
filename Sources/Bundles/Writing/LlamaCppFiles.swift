internal import DeviceProfiles

/// What a GGUF bundle carries for people: how llama.cpp and Ollama start it.
enum LlamaCppFiles {
    /// A Modelfile for `ollama create`.
    static func modelfile(context: Int) -> String {
        "FROM ./model.gguf\nPARAMETER num_ctx \(context)\n"
    }

    /// The line that serves the model, with the context and cache that the plan counted on.
    static func serverLine(profile: DeviceProfile, context: Int, kv: String) -> String {
        let cache = ["f16": "f16", "int8": "q8_0", "int4": "q4_0"][kv] ?? kv
        let threads = profile.compute.cores.map { " --threads \($0)" } ?? ""
        return "llama-server --model model.gguf --ctx-size \(context) --cache-type-k \(cache) --cache-type-v \(cache)"
            + "\(threads)\n"
    }
}
