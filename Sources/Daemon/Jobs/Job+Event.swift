package import Foundation

extension Job {
    /// The job after `event`, at the time `now`; nil where its state does not allow the event.
    package func after(_ event: JobEvent, now: Date, policy: RetryPolicy) -> Job? {
        guard Self.allows(event, in: state) else { return nil }
        var job = self
        switch event {
        case .begun:
            job.state = .running
            job.attempts += 1
            job.started = now
            job.notBefore = nil
            (job.stage, job.fraction, job.message) = (nil, nil, nil)
        case .finished(let bundle):
            job.end(.done, now: now, message: nil)
            (job.stage, job.fraction) = (nil, 1)
            (job.bundle, job.kl, job.storedBytes) = (bundle.path, bundle.kl, bundle.storedBytes)
        case .infeasible(let reason): job.end(.infeasible, now: now, message: reason)
        case .refused(let reason): job.end(.failed, now: now, message: reason)
        case .broke(let reason):
            if attempts >= policy.mostAttempts {
                job.end(.failed, now: now, message: "\(reason) (given up after \(attempts) runs)")
            } else {
                job.state = .queued
                job.notBefore = now + policy.delay(after: attempts)
                job.message = reason
            }
        case .interrupted:
            job.state = .queued
            job.attempts = max(0, attempts - 1)
        case .cancelled(let reason): job.end(.cancelled, now: now, message: reason)
        case .retried:
            job.state = .queued
            job.attempts = 0
            (job.notBefore, job.started, job.finished) = (nil, nil, nil)
            (job.stage, job.fraction, job.message) = (nil, nil, nil)
        }
        return job
    }

    private static func allows(_ event: JobEvent, in state: JobState) -> Bool {
        switch event {
        case .begun: state == .queued
        case .finished, .infeasible, .refused, .broke, .interrupted: state == .running
        case .cancelled: !state.isFinal
        case .retried: state.isFinal
        }
    }

    private mutating func end(_ state: JobState, now: Date, message: String?) {
        self.state = state
        self.message = message
        finished = now
        notBefore = nil
    }
}
