/// Times the stages of a run and tells how far they are.
final class StageTimer {
    /// Seconds of each stage, in order; a stage that was entered twice stands there once, with the sum.
    private(set) var stages: [(name: String, seconds: Double)] = []
    /// Time since the run began.
    let elapsed: () -> Duration
    private let report: (TuningProgress) -> Void
    private let isCancelled: () -> Bool

    init(
        elapsed: @escaping () -> Duration, isCancelled: @escaping () -> Bool, report: @escaping (TuningProgress) -> Void
    ) {
        self.elapsed = elapsed
        self.isCancelled = isCancelled
        self.report = report
    }

    /// Runs `body` as part of the stage `name`.
    func run<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
        try progress(name, 0, "")
        let start = elapsed()
        defer {
            let seconds = (elapsed() - start) / .seconds(1)
            if let index = stages.firstIndex(where: { $0.name == name }) {
                stages[index].seconds += seconds
            } else {
                stages.append((name, seconds))
            }
        }
        return try body()
    }

    /// Reports where the stage is. Throws `cancelled` where the run is to stop.
    func progress(_ stage: String, _ fraction: Double, _ text: String) throws(TuningError) {
        if isCancelled() {
            throw TuningError(.cancelled, place: stage, "stopped; run it again: it goes on where it stopped")
        }
        report(TuningProgress(stage: stage, fraction: fraction, text: text))
    }
}
