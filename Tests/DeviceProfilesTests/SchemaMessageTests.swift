import DeviceProfiles
import Testing

/// What the table of keys refuses: types, words, numbers, keys.
@Suite struct SchemaMessageTests {
    @Test(arguments: [
        (
            "memory:\n  budgte: 900 MB\n",
            "p.yaml:4:3: memory: unknown key \"budgte\"; the nearest is budget; "
                + "allowed are budget, runtime, storage, bandwidth, context"
        ),
        (
            "latency: {decode: {goal: 1 s, position: 3}}\n",
            "p.yaml:3:31: latency.decode: unknown key \"position\"; allowed are goal, at"
        ),
        (
            "prefer: qualty\n",
            "p.yaml:3:9: prefer: \"qualty\" is not one of quality, latency, memory, energy; the nearest is quality"
        ),
        ("prefer: 7\n", "p.yaml:3:9: prefer: \"7\" is not one of quality, latency, memory, energy"),
        (
            "runtime: freestanding\n",
            "p.yaml:3:10: runtime: \"freestanding\" is not available yet; write one of fettle, llama.cpp"
        ),
        ("runtime: c\n", "p.yaml:3:10: runtime: \"c\" is not available yet; write one of fettle, llama.cpp"),
        (
            "compute: {float: fp61}\n",
            "p.yaml:3:18: compute.float: \"fp61\" is not one of none, fp16, fp32; the nearest is fp16"
        ),
        (
            "memory: 900 MB\n",
            "p.yaml:3:9: memory: \"900 MB\" is not a map of budget, runtime, storage, bandwidth, context"
        ),
        (
            "memory:\n",
            "p.yaml:3:8: memory: is empty; write keys below it: budget, runtime, storage, bandwidth, context"
        ),
        ("memory: {budget: }\n", "p.yaml:3:18: memory.budget: is empty; write a size such as 1 MB"),
        (
            "memory: {budget: [1 MB]}\n",
            "p.yaml:3:18: memory.budget: a list cannot stand here; write a size such as 1 MB"
        ),
        (
            "memory: {context: many}\n",
            "p.yaml:3:19: memory.context: \"many\" is not a whole number; write one such as 1"
        ),
        (
            "memory: {context: \"512\"}\n",
            "p.yaml:3:19: memory.context: \"512\" is not a whole number; write one such as 1"
        ),
        (
            "memory: {context: 0}\n",
            "p.yaml:3:19: memory.context: 0 is not allowed here; write a number from 1 to 1048576"
        ),
        (
            "memory: {context: 99999999999999999999}\n",
            "p.yaml:3:19: memory.context: 99999999999999999999 is not allowed here; write a number from 1 to 1048576"
        ),
        (
            "compute: {integer: {weights: 4}}\n",
            "p.yaml:3:30: compute.integer.weights: \"4\" is not a list; write [a whole number from 2]"
        ),
        (
            "compute: {integer: {weights: []}}\n",
            "p.yaml:3:30: compute.integer.weights: the list is empty; write [a whole number from 2]"
        ),
        (
            "compute: {integer: {weights: [4, 9]}}\n",
            "p.yaml:3:34: compute.integer.weights[1]: 9 is not allowed here; write a number from 2 to 8"
        ),
        (
            "compute: {integer: {weights: [4, 4]}}\n",
            "p.yaml:3:34: compute.integer.weights: \"4\" stands here twice; remove one"
        ),
        (
            "compute: {integer: {activations: [9]}}\n",
            "p.yaml:3:35: compute.integer.activations[0]: \"9\" is not allowed here; write 8 or 16"
        ),
        (
            "compute: {integer: {shift: yes}}\n",
            "p.yaml:3:28: compute.integer.shift: \"yes\" is not a flag; write true or false"
        ),
        (
            "quality: {goal: 0}\n",
            "p.yaml:3:17: quality.goal: 0 is not allowed here; write a number above 0, at most 100"
        ),
        (
            "quality: {goal: 5 %}\n",
            "p.yaml:3:17: quality.goal: \"5 %\" is not a number; write one without sign or unit, such as 0.05"
        ),
        (
            "kernels:\n  - {format: u4g32, activation: int8g32, decode: 9 GB/s}\n",
            "p.yaml:4:5: kernels[0]: the key prefill is missing; write prefill: a throughput such as 1 GOPS"
        ),
        (
            "kernels:\n  - {format: U4, activation: int8, decode: 9 GB/s, prefill: 1 GOPS}\n",
            "p.yaml:4:14: kernels[0].format: \"U4\" is not the short name of a format, such as u4g32 or q4_0"
        ),
        (
            "extends: ../secret\n",
            "p.yaml:3:10: extends: \"../secret\" is not a name of letters, digits, '.', '_' and '-', at most 64, "
                + "letter or digit first"
        ),
    ])
    func refusal(yaml: String, message: String) {
        #expect(mistake(below: yaml) == message)
    }

    @Test(arguments: [
        ("name: p\n", "p.yaml:1:1: the key fettle is missing; write fettle: 1"),
        (
            "fettle: 1\n",
            "p.yaml:1:1: the key name is missing; write name: a name of letters, digits, '.', '_' and '-', at most 64, "
                + "letter or digit first"
        ),
        ("fettle: 2\nname: p\n", "p.yaml:1:9: fettle: 2 is not allowed here; write 1"),
        (
            "fetle: 1\n",
            "p.yaml:1:1: unknown key \"fetle\"; the nearest is fettle; allowed are fettle, name, extends, description, "
                + "runtime, compute, memory, latency, energy, quality, prefer, calibration, kernels"
        ),
        (
            "- 1\n",
            "p.yaml:1:1: a list is not a map of fettle, name, extends, description, runtime, compute, memory, latency, "
                + "energy, quality, prefer, calibration, kernels"
        ),
    ])
    func refusalAtTheTop(yaml: String, message: String) {
        #expect(mistake(yaml) == message)
    }

    @Test func onlyTwoKeysAreRequired() throws {
        let profile = try library().parse("fettle: 1\nname: p\n", file: "p.yaml")
        var expected = DeviceProfile(name: "p")
        expected.places = profile.places
        #expect(profile == expected)
    }
}
