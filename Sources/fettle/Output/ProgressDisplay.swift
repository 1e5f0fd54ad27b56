internal import Foundation

/// Progress on stderr: a bar on a terminal, a line at each new stage and every tenth in a log, a JSON line at every
/// hundredth for programs.
struct ProgressDisplay {
    private let json: Bool
    private let isTerminal: Bool
    private var stage = ""
    private var shownStep = -1
    private var needsNewline = false

    /// A display for this process's stderr.
    init(json: Bool, isTerminal: Bool = Console.isTerminal) {
        self.json = json
        self.isTerminal = isTerminal
    }

    /// Shows that `stage` has come to `fraction` (0...1).
    mutating func show(stage: String, fraction: Double, detail: String) {
        let share = max(0, min(1, fraction))
        let step = Int(share * (json ? 100 : 10))
        let isNew = stage != self.stage
        if isTerminal, !json {
            if isNew, needsNewline { write("\n") }
            write("\r\u{1B}[K\(bar(share)) \(Int(share * 100)) % \(stage) \(detail.prefix(60))")
            needsNewline = true
        } else if isNew || step != shownStep {
            write(json ? line(stage, share, detail) : "\(stage): \(Int(share * 100)) % \(detail)\n")
        }
        self.stage = stage
        shownStep = step
    }

    /// Leaves the terminal on a fresh line.
    mutating func finish() {
        if needsNewline { write("\n") }
        needsNewline = false
    }

    private func bar(_ share: Double) -> String {
        let filled = Int(share * 24)
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled) + "]"
    }

    private func line(_ stage: String, _ share: Double, _ detail: String) -> String {
        let fields = ["stage": stage, "detail": detail]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let text = try? String(decoding: encoder.encode(fields), as: UTF8.self) else { return "" }
        return text.dropLast() + ",\"fraction\":\(String(format: "%.3f", share))}\n"
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
