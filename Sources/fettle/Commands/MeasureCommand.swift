internal import ArgumentParser
internal import Bundles
internal import Compute
internal import Daemon
internal import Foundation
internal import IntegerRuntime
internal import ModelFiles

/// `fettle measure-resident`: what a bundle adds to a process, measured in this one. Run by `tune` and `verify` as a child.
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure-resident",
        abstract: "Prints the resident bytes that a bundle adds to a process with its context filled.",
        shouldDisplay: false)

    @Argument(help: "A bundle.")
    var bundle: String

    @Option(help: .hidden) var parent: Int32

    @Flag(help: "Print instead by how much the process was larger while the weights were loaded.")
    var loading = false

    @OptionGroup var machine: MachineOptions

    func run() throws {
        WorkerProcess.follow(parent: parent)
        let pool = try machine.pool
        if loading { return print(try loadingBytes(pool: pool)) }
        let before = ProcessMemory(mappedUnder: bundle)
        let directory = try BundleDirectory(path: bundle)
        let model = try directory.model(context: directory.servedContext, pool: pool)
        let cache = try model.makeCache()
        var peak = ProcessMemory(mappedUnder: bundle).bytes
        var position = 0
        while position < cache.capacity {
            let count = min(128, cache.capacity - position)
            let tokens = (0..<count).map { Int32(($0 + position) % directory.configuration.vocabulary) }
            try model.forward(tokens: tokens, cache: cache, logits: .last)
            position += count
            peak = max(peak, ProcessMemory(mappedUnder: bundle).bytes)
        }
        withExtendedLifetime((directory.tokenizer, model)) {
            print(max(0, peak - before.bytes))
        }
    }

    /// The peak while the weights move in, less what the process holds afterwards.
    private func loadingBytes(pool: ThreadPool) throws -> Int {
        let directory = try BundleDirectory(path: bundle)
        let context = directory.servedContext
        // The peak starts again here.
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        let model = try directory.model(context: context, pool: pool)
        return withExtendedLifetime(model) {
            max(0, ProcessMemory.status("VmHWM:") - ProcessMemory.status("VmRSS:"))
        }
    }
}

/// What this process holds: anonymous resident pages, and resident pages of files under a directory.
///
/// Counted in smaps, which walks the page tables: /proc/self/status sums counters of each CPU that lag behind by up to 128 kB
/// a CPU.
private struct ProcessMemory {
    let bytes: Int

    init(mappedUnder directory: String) {
        let root = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
        var kilobytes = 0
        var isUnderRoot = false
        ProcFile.forEachLine("/proc/self/smaps") { line in
            if line.hasPrefix(isUnderRoot ? "Rss:" : "Anonymous:") {
                kilobytes += Self.kilobytes(line)
            } else if line.prefix(while: { !$0.isWhitespace }).contains("-") {
                isUnderRoot = line.contains(root)
            }
        }
        bytes = kilobytes * 1024
    }

    /// Bytes that a line of /proc/self/status tells; 0 where there is none.
    static func status(_ name: String) -> Int {
        ProcFile.value("/proc/self/status", after: name).map { kilobytes($0) * 1024 } ?? 0
    }

    /// The number of a line that ends in "... 12 kB".
    private static func kilobytes(_ line: Substring) -> Int {
        Int(line.dropLast(3).drop { !$0.isNumber }) ?? 0
    }
}
