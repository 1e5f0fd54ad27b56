import Foundation

/// Finds the floating-point instructions that can be reached from a function, in x86-64 object files.
///
/// Moves, shuffles and logic on vector registers are no arithmetic, whatever type their names say.
struct FloatScan {
    struct Failure: Error {
        let message: String
    }

    /// Instructions by function.
    private var functions: [String: [Substring]] = [:]

    /// Disassembles `objects`.
    init(objects: [String]) throws {
        let text = try Self.run("objdump", ["--disassemble", "--reloc", "--no-show-raw-insn", "--wide"] + objects)
        var function: String?
        for line in text.split(separator: "\n") {
            if line.hasSuffix(">:"), let name = line.split(separator: "<").last?.dropLast(2) {
                function = String(name)
            } else if let function {
                functions[function, default: []].append(line)
            }
        }
    }

    /// Every function that `root` mentions, and those that they mention: calls, jumps and addresses taken.
    func reachable(from root: String) throws -> Set<String> {
        guard functions[root] != nil else { throw Failure(message: "\(root) is in none of the objects") }
        var seen: Set<String> = []
        var open = [root]
        while let function = open.popLast() {
            guard seen.insert(function).inserted else { continue }
            for line in functions[function] ?? [] { open += Self.names(in: line).filter { functions[$0] != nil } }
        }
        return seen
    }

    /// How many instructions `root` reaches.
    func instructions(from root: String) throws -> Int {
        try reachable(from: root).reduce(0) { $0 + (functions[$1]?.count ?? 0) }
    }

    /// Instructions that compute with floats, in what `root` reaches.
    func floats(from root: String) throws -> [String] {
        try reachable(from: root).flatMap { function in
            (functions[function] ?? []).filter(Self.isFloat).map { "\(function): \($0)" }
        }
    }

    /// Symbols that a line names: `<symbol+0x10>` and the targets of relocations.
    private static func names(in line: Substring) -> [String] {
        let separators = CharacterSet(charactersIn: "<>+ \t")
        return line.components(separatedBy: separators).map { name in
            guard let minus = name.range(of: "-0x") else { return name }
            return String(name[..<minus.lowerBound])
        }
    }

    private static func isFloat(_ line: Substring) -> Bool {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: true)
        guard fields.count > 1, let mnemonic = fields[1].split(separator: " ").first else { return false }
        if mnemonic.hasPrefix("f") { return true }  // x87
        var name = mnemonic.hasPrefix("v") ? mnemonic.dropFirst() : mnemonic
        if name.hasPrefix("cvt") || name.hasPrefix("ucomi") || name.hasPrefix("comi") { return true }
        guard let type = ["ps", "pd", "ss", "sd", "ph", "sh"].first(where: { name.hasSuffix($0) }) else { return false }
        name = name.dropLast(type.count)
        let arithmetic = [
            "add", "sub", "mul", "div", "sqrt", "min", "max", "cmp", "round", "rcp", "rsqrt", "hadd", "hsub", "dp",
            "fm",
            "fnm", "scalef", "getexp", "getmant", "fixupimm", "rndscale", "range", "reduce",
        ]
        return arithmetic.contains { name.hasPrefix($0) }
    }

    /// What a program prints.
    static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(message: "\(program) ends with \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
