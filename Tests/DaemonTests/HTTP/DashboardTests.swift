import Foundation
import Testing

/// The dashboard in headless Chromium, where there is one: scripts/dashboard.py says what is done and looked for.
@Suite struct DashboardTests {
    private static let hasBrowser =
        (try? Shell.run(
            "command -v python3 && (command -v chromium || command -v chromium-browser || command -v google-chrome)"
        ).status) == 0

    @Test(
        .enabled(if: hasBrowser, "Chromium (Debian: chromium) and python3 are not installed: the page is not tested"),
        .timeLimit(.minutes(6)))
    func aJobIsSubmittedAndWatchedToItsEnd() throws {
        let script = DaemonRun.root.appending(path: "scripts/dashboard.py").path
        let (status, output) = try Shell.run("python3 '\(script)' '\(DaemonRun.binary)'")
        #expect(status == 0, "\(output)")
    }
}
