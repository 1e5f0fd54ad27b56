internal import ArgumentParser
internal import Bundles
internal import Daemon
internal import Foundation
internal import Tuning

/// Jobs of the daemon for a terminal.
enum JobDisplay {
    /// A table of jobs.
    static func table(_ jobs: [RemoteJob]) -> String {
        var table = TextTable(["job", "state", "model", "profile", "progress", "KL nats", "MB", "message"])
        for job in jobs {
            table.append([
                String(job.id), job.state.rawValue, plain(job.model), plain(job.profile), progress(job),
                job.kl.map { String(format: "%.4f", $0) } ?? "-",
                job.storedBytes.map { String(format: "%.1f", Double($0) / 1e6) } ?? "-",
                job.state.isFinal ? plain(job.message ?? "") : "",
            ])
        }
        return table.text
    }

    /// Everything about one job; the verdicts of its bundle where there is one.
    static func details(_ job: RemoteJob, _ manifest: BundleManifest?) -> String {
        var lines = ["job       \(job.id), priority \(job.priority), attempt \(job.attempts)"]
        lines.append("tunes     \(plain(job.model)) for \(plain(job.profile))")
        lines.append("state     \(job.state.rawValue)" + (progress(job).isEmpty ? "" : ", \(progress(job))"))
        lines.append("created   \(job.created)" + (job.finished.map { ", ended \($0)" } ?? ""))
        if let message = job.message { lines.append("message   \(plain(message))") }
        if let bundle = job.bundle { lines.append("bundle    \(plain(bundle))") }
        if let manifest {
            lines.append(
                String(format: "KL        %.4f nats, top-1 %.1f %%", manifest.quality.kl, 100 * manifest.quality.top1))
            lines.append(VerdictTable.text(manifest.verdicts))
        }
        return lines.joined(separator: "\n")
    }

    /// Ends the command by how the job ended.
    static func exit(_ job: RemoteJob) throws {
        switch job.state {
        case .done, .queued, .running: return
        case .failed: throw ExitCode(ExitStatus.systemFailure.rawValue)
        case .infeasible: throw ExitCode(ExitStatus.goalMissed.rawValue)
        case .cancelled: throw ExitCode(ExitStatus.interrupted.rawValue)
        }
    }

    /// Text of others without what a terminal would take for a command.
    static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    private static func progress(_ job: RemoteJob) -> String {
        guard job.state == .running, let stage = job.stage else { return "" }
        let percent = job.fraction.map { " \(Int(100 * $0)) %" } ?? ""
        return plain(stage) + percent + (job.secondsLeft.map { ", \(Int($0)) s left" } ?? "")
    }
}
