internal import ArgumentParser
internal import Bundles
internal import Daemon
internal import DeviceProfiles
internal import Foundation
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Reference
internal import Tuning

/// What a command's end means to scripts.
enum ExitStatus: Int32 {
    /// Done, and every goal is met.
    case success = 0
    /// Disk full, permission, memory.
    case systemFailure = 1
    case usage = 2
    /// A goal of the profile is not met; explained on stderr.
    case goalMissed = 3
    /// A file or profile is not what it should be.
    case badInput = 4
    /// Stopped by a signal; running again goes on.
    case interrupted = 5

    /// What a command ends with whose verdicts are not all met: a goal that was missed counts for more than one that this
    /// system failed to measure.
    static func unmet(_ verdicts: [Verdict]) -> ExitCode {
        let isMissed = verdicts.contains { !$0.met && $0.unmeasured == nil }
        return ExitCode((isMissed ? goalMissed : systemFailure).rawValue)
    }

    /// Writes what is to be said about `error` to stderr (help and version to stdout) and classifies it.
    static func report(_ error: any Error) -> ExitStatus {
        if let status = (error as? ExitCode).map({ ExitStatus(rawValue: $0.rawValue) ?? .usage }) { return status }
        if let status = classified(error) {
            Console.message("error: \(error)")
            return status
        }
        let text = Fettle.fullMessage(for: error)
        guard Fettle.exitCode(for: error) == .success else {
            Console.message(text)
            return Fettle.exitCode(for: error) == .validationFailure ? .usage : .systemFailure
        }
        print(text)
        return .success
    }

    private static func classified(_ error: any Error) -> ExitStatus? {
        switch error {
        case let error as ModelError: error.code == .unwritable ? .systemFailure : .badInput
        case let error as BundleError: error.code == .unwritable ? .systemFailure : .badInput
        case let error as ProfileError: error.code == .unknownProfile ? .usage : .badInput
        case let error as TuningError: status(of: error)
        case let error as DaemonError: error.code == .badInput ? .badInput : .systemFailure
        case let error as ClientError: status(of: error)
        case is QuantizationError, is ReferenceError, is RuntimeError: .badInput
        default: nil
        }
    }

    /// What the daemon will not do because of what was asked is bad input; anything else is the system's.
    private static func status(of error: ClientError) -> ExitStatus {
        switch error.code {
        case .refused(400), .refused(404), .refused(409): .badInput
        case .refused, .unreachable, .malformed: .systemFailure
        }
    }

    private static func status(of error: TuningError) -> ExitStatus {
        switch error.code {
        case .badInput, .unsupported: .badInput
        case .infeasible: .goalMissed
        case .systemFailure: .systemFailure
        case .cancelled: .interrupted
        }
    }
}
