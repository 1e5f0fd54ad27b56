import DeviceProfiles
import Testing

/// Settings that are right alone and impossible together.
@Suite struct CombinationTests {
    @Test(arguments: [
        (
            "compute: {integer: {granularity: [tensor, channel], groups: [32]}}\n",
            "p.yaml:3:61: compute.integer.groups: needs group in compute.integer.granularity; add it or remove groups"
        ),
        (
            "compute: {integer: {techniques: [static], activation-granularity: [token]}}\n",
            "p.yaml:3:33: compute.integer.techniques: without dynamic, activations are static: add tensor to "
                + "activation-granularity, or dynamic here"
        ),
        (
            "compute: {float: none, integer: {techniques: [qat]}}\n",
            "p.yaml:3:46: compute.integer.techniques: float: none needs static or dynamic; add one"
        ),
        (
            "runtime: llama.cpp\ncompute: {float: none}\n",
            "p.yaml:4:18: compute.float: llama.cpp computes with floats; write fp32, or runtime: fettle"
        ),
        (
            "runtime: llama.cpp\ncompute: {integer: {granularity: [channel]}}\n",
            "p.yaml:4:34: compute.integer.granularity: every quantized type of llama.cpp has a scale for each group; "
                + "add group, or write runtime: fettle"
        ),
        (
            "runtime: llama.cpp\ncompute: {integer: {activations: [16]}}\n",
            "p.yaml:4:34: compute.integer.activations: llama.cpp's activations have 8 bits; add 8, or write runtime: "
                + "fettle"
        ),
        (
            "memory: {budget: 20 MB, runtime: 20 MB}\n",
            "p.yaml:3:34: memory.runtime: takes 20000000 B of a budget of 20000000 B and leaves nothing; lower it"
        ),
        (
            "memory: {context: 512}\nlatency: {decode: {at: 1024}}\n",
            "p.yaml:4:24: latency.decode.at: 1024 is beyond memory.context (512); write at most 512"
        ),
        (
            "memory: {context: 128}\nlatency: {prefill: {tokens: 256}}\n",
            "p.yaml:4:29: latency.prefill.tokens: 256 is beyond memory.context (128); write at most 128"
        ),
        (
            "latency: {prefill: {goal: 4 s}}\n",
            "p.yaml:3:27: latency.prefill.goal: needs latency.prefill.tokens, which is absent; add it, such as 256, or "
                + "remove the goal"
        ),
        (
            "latency: {prefill: {goal: 4 s, tokens: 256}}\n",
            "p.yaml:3:27: latency.prefill.goal: needs compute.throughput.int8, which is absent; add it, such as "
                + "150 GOPS, or remove the goal"
        ),
        (
            "latency: {decode: {goal: 80 ms}}\n",
            "p.yaml:3:26: latency.decode.goal: needs memory.bandwidth, which is absent; add it, such as 12 GB/s, or "
                + "remove the goal"
        ),
        (
            "energy: {goal: 1 J}\n",
            "p.yaml:3:16: energy.goal: needs energy.dram, which is absent; add it, such as 60 pJ/bit, or remove the goal"
        ),
        (
            "energy: {goal: 1 J, dram: 60 pJ/bit}\n",
            "p.yaml:3:16: energy.goal: needs energy.int8-mac, which is absent; add it, such as 0.4 pJ, or remove the goal"
        ),
        (
            "energy: {goal: 1 J, dram: 60 pJ/bit, int8-mac: 1 pJ, idle: 1 W}\n",
            "p.yaml:3:16: energy.goal: needs memory.bandwidth, which is absent; add it, such as 12 GB/s, or remove the "
                + "goal"
        ),
        (
            "quality: {metric: top1, goal: 1.5}\n",
            "p.yaml:3:31: quality.goal: top1 is an agreement; write a number up to 1, such as 0.9"
        ),
        (
            "prefer: memory\n",
            "p.yaml:3:9: prefer: memory needs quality.goal, else the smallest bundle wins; add quality: {goal: 0.05}"
        ),
        (
            """
            kernels:
              - {format: u4g32, activation: int8, decode: 9 GB/s, prefill: 1 GOPS}
              - {format: u4g32, activation: int8, decode: 8 GB/s, prefill: 1 GOPS}
            """,
            "p.yaml:5:5: kernels: u4g32/int8 has two rows; remove one"
        ),
    ])
    func refusal(yaml: String, message: String) {
        #expect(mistake(below: yaml) == message)
    }

    /// The same settings with the remedy that the message names.
    @Test(arguments: [
        "compute: {integer: {granularity: [tensor, group], groups: [32]}}",
        "compute: {integer: {techniques: [static], activation-granularity: [tensor]}}",
        "compute: {float: none, integer: {techniques: [qat, static], activation-granularity: [tensor]}}",
        "runtime: llama.cpp\ncompute: {float: fp16}",
        "memory: {budget: 20 MB, runtime: 19999999 B}",
        "memory: {context: 512}\nlatency: {decode: {at: 512}}",
        "latency: {prefill: {goal: 4 s, tokens: 256}}\ncompute: {throughput: {int16: 1 GOPS}}",
        "latency: {decode: {goal: 80 ms}}\nmemory: {bandwidth: 12 GB/s}",
        "energy: {goal: 1 J, dram: 60 pJ/bit, int8-mac: 1 pJ, idle: 0 W}",
        "quality: {metric: top1, goal: 1}",
        "prefer: energy\nquality: {goal: 0.05}",
    ])
    func remedy(yaml: String) {
        #expect(mistake(below: yaml) == nil)
    }
}
