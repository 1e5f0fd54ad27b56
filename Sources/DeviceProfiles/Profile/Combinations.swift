/// Refuses settings that are each right and together impossible, after inheritance.
struct Combinations {
    private let setting: Setting

    init(_ setting: Setting) {
        self.setting = setting
    }

    /// - Throws: `impossible`, at the place of the setting to change.
    func check() throws(ProfileError) {
        try checkArithmetic()
        try checkRuntime()
        try checkMemory()
        try checkLatency()
        try checkEnergy()
        try checkQuality()
        try checkKernels()
    }

    private func checkArithmetic() throws(ProfileError) {
        let integer = "compute.integer"
        if isWritten("\(integer).groups"), let granularity = words("\(integer).granularity"),
            !granularity.contains("group")
        {
            throw impossible("\(integer).groups", "needs group in compute.integer.granularity; add it or remove groups")
        }
        guard let techniques = words("\(integer).techniques") else { return }
        let granularity = words("\(integer).activation-granularity")
        if !techniques.contains("dynamic"), let granularity, !granularity.contains("tensor") {
            throw impossible(
                "\(integer).techniques",
                "without dynamic, activations are static: add tensor to activation-granularity, or dynamic here")
        }
        if !techniques.contains("dynamic"), !techniques.contains("static"), text("compute.float") == "none" {
            throw impossible("\(integer).techniques", "float: none needs static or dynamic; add one")
        }
    }

    private func checkRuntime() throws(ProfileError) {
        guard text("runtime") == "llama.cpp" else { return }
        if text("compute.float") == "none" {
            throw impossible("compute.float", "llama.cpp computes with floats; write fp32, or runtime: fettle")
        }
        if let granularity = words("compute.integer.granularity"), !granularity.contains("group") {
            throw impossible(
                "compute.integer.granularity",
                "every quantized type of llama.cpp has a scale for each group; add group, or write runtime: fettle")
        }
        if let activations = setting["compute.integer.activations"],
            !activations.items.contains(where: { $0.integer == 8 })
        {
            throw impossible(
                "compute.integer.activations", "llama.cpp's activations have 8 bits; add 8, or write runtime: fettle")
        }
    }

    private func checkMemory() throws(ProfileError) {
        if let budget = setting["memory.budget"]?.integer, let runtime = setting["memory.runtime"]?.integer,
            runtime >= budget
        {
            throw impossible(
                "memory.runtime", "takes \(runtime) B of a budget of \(budget) B and leaves nothing; lower it")
        }
        guard let context = setting["memory.context"]?.integer else { return }
        for key in ["latency.prefill.tokens", "latency.decode.at"] {
            if let tokens = setting[key]?.integer, tokens > context {
                throw impossible(key, "\(tokens) is beyond memory.context (\(context)); write at most \(context)")
            }
        }
    }

    private func checkLatency() throws(ProfileError) {
        if isWritten("latency.prefill.goal") {
            try require("latency.prefill.tokens", for: "latency.prefill.goal", example: "256")
            let throughputs = ["int8", "int16", "float"].map { "compute.throughput.\($0)" }
            if !throughputs.contains(where: isWritten) {
                try require(throughputs[0], for: "latency.prefill.goal", example: "150 GOPS")
            }
        }
        if isWritten("latency.decode.goal") {
            try require("memory.bandwidth", for: "latency.decode.goal", example: "12 GB/s")
        }
    }

    private func checkEnergy() throws(ProfileError) {
        guard isWritten("energy.goal") else { return }
        try require("energy.dram", for: "energy.goal", example: "60 pJ/bit")
        try require("energy.int8-mac", for: "energy.goal", example: "0.4 pJ")
        if let idle = setting["energy.idle"]?.real, idle > 0 {
            try require("memory.bandwidth", for: "energy.goal", example: "12 GB/s")
        }
    }

    private func checkQuality() throws(ProfileError) {
        if text("quality.metric") == "top1", let goal = setting["quality.goal"]?.real, goal > 1 {
            throw impossible("quality.goal", "top1 is an agreement; write a number up to 1, such as 0.9")
        }
        if let prefer = text("prefer"), prefer != "quality", !isWritten("quality.goal") {
            throw impossible(
                "prefer", "\(prefer) needs quality.goal, else the smallest bundle wins; add quality: {goal: 0.05}")
        }
    }

    private func checkKernels() throws(ProfileError) {
        var seen: Set<[String]> = []
        for row in setting["kernels"]?.items ?? [] {
            let key = [row["format"]?.text ?? "", row["activation"]?.text ?? ""]
            if !seen.insert(key).inserted {
                throw ProfileError(
                    .impossible, at: row.place, keyPath: "kernels",
                    "\(key.joined(separator: "/")) has two rows; remove one")
            }
        }
    }

    private func require(_ key: String, for goal: String, example: String) throws(ProfileError) {
        guard !isWritten(key) else { return }
        throw impossible(goal, "needs \(key), which is absent; add it, such as \(example), or remove the goal")
    }

    private func impossible(_ key: String, _ message: String) -> ProfileError {
        ProfileError(.impossible, at: setting[key]?.place ?? setting.place, keyPath: key, message)
    }

    private func isWritten(_ key: String) -> Bool { setting[key] != nil }
    private func text(_ key: String) -> String? { setting[key]?.text }
    private func words(_ key: String) -> [String]? { setting[key].map { $0.items.compactMap(\.text) } }
}
