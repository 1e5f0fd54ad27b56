package import Foundation

/// When a job that broke runs again, and when it no longer does.
package struct RetryPolicy: Sendable, Equatable {
    /// Runs after which a job that keeps breaking is given up: it is poison.
    package var mostAttempts: Int
    /// Seconds before the second run.
    package var firstDelay: Double
    /// What each further delay is multiplied by.
    package var factor: Double
    /// No delay is longer, in seconds.
    package var longestDelay: Double

    package init(mostAttempts: Int = 5, firstDelay: Double = 10, factor: Double = 4, longestDelay: Double = 900) {
        self.mostAttempts = mostAttempts
        self.firstDelay = firstDelay
        self.factor = factor
        self.longestDelay = longestDelay
    }

    /// Seconds to wait after `attempts` runs that broke.
    package func delay(after attempts: Int) -> Double {
        min(longestDelay, firstDelay * pow(factor, Double(max(0, attempts - 1))))
    }

    /// Whether a job may run at `now`. A time farther away than any delay was written by a clock that has since been set
    /// back: waiting for it could take years.
    package func isDue(_ notBefore: Date?, now: Date) -> Bool {
        guard let notBefore else { return true }
        return notBefore <= now || notBefore.timeIntervalSince(now) > longestDelay
    }
}
