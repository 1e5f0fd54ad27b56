internal import ArgumentParser
internal import Compute
internal import Foundation

/// How much of this machine a command may use.
struct MachineOptions: ParsableArguments {
    @Option(help: "Threads to use; all processors where it is not given.")
    var threads: Int?

    func validate() throws {
        guard threads.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--threads must be between 1 and 1024.")
        }
    }

    /// The threads of this run. FETTLE_ISA (scalar, avx2, avx512) forces narrower kernels, for tests.
    var pool: ThreadPool {
        get throws {
            ThreadPool(
                threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, instructionSet: try instructionSet)
        }
    }

    private var instructionSet: InstructionSet {
        get throws {
            guard let name = ProcessInfo.processInfo.environment["FETTLE_ISA"] else { return .best }
            guard let set = InstructionSet(rawValue: name), set.isSupported else {
                let known = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue).joined(separator: ", ")
                throw ValidationError("FETTLE_ISA is \"\(name)\", but this processor runs \(known).")
            }
            return set
        }
    }
}
