import DeviceProfiles
import Testing

/// Random profiles: what is not meant to matter must not.
@Suite struct PropertyTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func orderStyleCommentsAndDescriptionDoNotMatter(seed: UInt64) throws {
        var random = Xorshift(seed: seed)
        let settings = RandomProfile.settings(&random)
        let first = try load(RandomProfile.block(settings, description: "first"))
        var shuffled = settings
        shuffled.shuffle(using: &random)
        let second = try load(RandomProfile.block(shuffled, description: "# second", comment: "# a comment"))
        let third = try load(RandomProfile.flow(shuffled))
        #expect(first.resolved == second.resolved)
        #expect(first.digest == third.digest)
    }

    /// Splitting a profile into a parent and a child anywhere gives the same profile.
    @Test(arguments: 100..<150 as Range<UInt64>)
    func splittingDoesNotMatter(seed: UInt64) throws {
        var random = Xorshift(seed: seed)
        let settings = RandomProfile.settings(&random)
        let whole = try load(RandomProfile.block(settings, description: "whole"))
        let cut = Int.random(in: 0...settings.count, using: &random)
        let parent = RandomProfile.block(Array(settings[..<cut]), name: "parent", description: "parent")
        let child = RandomProfile.block(Array(settings[cut...]), extends: "parent", description: "child")
        // A parent must be right alone; where the goal and its cost parameter part, it is not.
        guard mistake(parent) == nil else { return }
        let split = try library([("parent", parent)]).parse(child, file: "p.yaml")
        #expect(split.resolved == whole.resolved)
    }

    /// Every setting counts: leaving one out changes the digest, unless it wrote a default.
    @Test(arguments: 200..<240 as Range<UInt64>)
    func everySettingCounts(seed: UInt64) throws {
        var random = Xorshift(seed: seed)
        let settings = RandomProfile.settings(&random)
        let whole = try load(RandomProfile.block(settings, description: "d"))
        let defaults: Set = ["runtime: fettle", "compute.float: fp32", "prefer: quality", "memory.runtime: 0 B"]
        for index in settings.indices where !defaults.contains("\(settings[index].path): \(settings[index].value)") {
            var less = settings
            less.remove(at: index)
            guard let profile = try? load(RandomProfile.block(less, description: "d")) else { continue }
            #expect(profile.digest != whole.digest, "\(settings[index])")
        }
    }

    private func load(_ yaml: String) throws -> DeviceProfile { try library().parse(yaml, file: "p.yaml") }
}

/// Settings drawn at random such that they are possible together.
private enum RandomProfile {
    typealias Setting = (path: String, value: String)

    static func settings(_ random: inout Xorshift) -> [Setting] {
        let candidates: [Setting] = [
            ("runtime", "fettle"), ("prefer", "quality"), ("calibration", "text.txt"),
            ("compute.cores", "\(Int.random(in: 1...64, using: &random))"),
            ("compute.float", ["fp16", "fp32"].randomElement(using: &random) ?? "fp32"),
            ("compute.integer.dot", ["none", "sdot", "i8mm", "vnni"].randomElement(using: &random) ?? "none"),
            (
                "compute.integer.weights",
                "[\([8, 6, 4, 3].shuffled(using: &random).map(String.init).joined(separator: ", "))]"
            ),
            ("compute.integer.zero-point", "false"),
            ("compute.throughput.int8", "\(Int.random(in: 1...900, using: &random)) GOPS"),
            ("memory.budget", "\(Int.random(in: 30...900, using: &random)) MiB"),
            ("memory.runtime", "\(Int.random(in: 0...20, using: &random)) B"),
            ("memory.bandwidth", "\(Int.random(in: 1...90, using: &random)).5 GB/s"),
            ("memory.context", "\(Int.random(in: 1024...4096, using: &random))"),
            ("latency.decode.goal", "\(Int.random(in: 1...900, using: &random)) ms"),
            ("latency.decode.at", "\(Int.random(in: 0...1024, using: &random))"),
            ("energy.idle", "\(Int.random(in: 0...900, using: &random)) mW"),
            ("energy.dram", "60 pJ/bit"), ("energy.int8-mac", "0.4 pJ"),
            ("quality.metric", ["perplexity", "top1"].randomElement(using: &random) ?? "top1"),
            ("quality.goal", "0.\(Int.random(in: 1...99, using: &random))5"),
        ]
        let chosen = candidates.filter { _ in Bool.random(using: &random) }
        let hasBandwidth = chosen.contains { $0.path == "memory.bandwidth" }
        return chosen.filter { $0.path != "latency.decode.goal" || hasBandwidth }
    }

    /// Block style; keys in the order given, each map where its first key stands.
    static func block(
        _ settings: [Setting], name: String = "p", extends: String? = nil, description: String, comment: String = ""
    ) -> String {
        var text = "\(comment)\nname: \(name)\ndescription: \"\(description)\"\nfettle: 1\n"
        if let extends { text += "extends: \(extends)\n" }
        return text + block(settings, indent: "", comment: comment)
    }

    private static func block(_ settings: [Setting], indent: String, comment: String) -> String {
        groups(settings).map { key, inner in
            if let value = inner.first, value.path.isEmpty { return "\(indent)\(key): \(value.value) \(comment)\n" }
            return "\(indent)\(key):\n" + block(inner, indent: indent + "  ", comment: comment)
        }.joined()
    }

    /// One line of flow style.
    static func flow(_ settings: [Setting]) -> String {
        func map(_ settings: [Setting]) -> String {
            groups(settings).map { key, inner in
                if let value = inner.first, value.path.isEmpty { return "\(key): \(value.value)" }
                return "\(key): {\(map(inner))}"
            }.joined(separator: ", ")
        }
        return "{\(map([("fettle", "1"), ("name", "p")] + settings))}"
    }

    /// The settings under each first key; the path of a leaf becomes empty.
    private static func groups(_ settings: [Setting]) -> [(key: String, inner: [Setting])] {
        var groups: [(key: String, inner: [Setting])] = []
        for setting in settings {
            let parts = setting.path.split(separator: ".", maxSplits: 1).map(String.init)
            let rest: Setting = (parts.count > 1 ? parts[1] : "", setting.value)
            if let index = groups.firstIndex(where: { $0.key == parts[0] }) {
                groups[index].inner.append(rest)
            } else {
                groups.append((parts[0], [rest]))
            }
        }
        return groups
    }
}

/// Marsaglia's xorshift64: the same numbers on every run.
private struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
