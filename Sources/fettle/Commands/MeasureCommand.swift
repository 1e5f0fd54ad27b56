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
        let before = try ProcessMemory(mappedUnder: bundle)
        let directory = try BundleDirectory(path: bundle)
        let model = try directory.model(context: directory.servedContext, pool: pool)
        let cache = try model.makeCache()
        var peak = try ProcessMemory(mappedUnder: bundle).bytes
        var position = 0
        while position < cache.capacity {
            let count = min(128, cache.capacity - position)
            let tokens = (0..<count).map { Int32(($0 + position) % directory.configuration.vocabulary) }
            try model.forward(tokens: tokens, cache: cache, logits: .last)
            position += count
            peak = max(peak, try ProcessMemory(mappedUnder: bundle).bytes)
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
        return try withExtendedLifetime(model) {
            max(0, try ProcessMemory.status("VmHWM:") - ProcessMemory.status("VmRSS:"))
        }
    }
}

/// What this process holds: anonymous resident pages, and resident pages of files under a directory.
private struct ProcessMemory {
    let bytes: Int

    init(mappedUnder directory: String) throws {
        let root = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
        var kilobytes = try Self.status("RssAnon:") / 1024
        var isUnderRoot = false
        for words in try Self.fields("/proc/self/smaps") {
            if words[0].contains("-") {
                isUnderRoot = words.count >= 6 && words[5...].joined(separator: " ").hasPrefix(root)
            } else if isUnderRoot, words[0] == "Rss:" {
                kilobytes += Int(words[1]) ?? 0
            }
        }
        bytes = kilobytes * 1024
    }

    /// Bytes that a line of /proc/self/status tells; 0 where there is none.
    static func status(_ name: String) throws -> Int {
        (try fields("/proc/self/status").first { $0[0] == name }.flatMap { Int($0[1]) } ?? 0) * 1024
    }

    /// The words of each line that has at least two.
    private static func fields(_ path: String) throws -> [[Substring]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .map { $0.split(omittingEmptySubsequences: true, whereSeparator: \.isWhitespace) }.filter { $0.count >= 2 }
    }
}
