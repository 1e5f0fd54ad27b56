/// A time limit, and what the steps before it take by what was measured in this run: an optional step is begun only if it and
/// all that must still come fit.
package final class TimeBudget {
    private let limit: Duration?
    private let elapsed: () -> Duration
    /// Of one plan on one chunk of text, and of packing one plan: the longest so far, in seconds.
    private var chunk = 0.0
    private var packing = 0.0
    /// What must still come after every step, in seconds.
    private var reserve = 0.0
    /// Whether an optional step was left out.
    package private(set) var isCut = false

    /// A budget until `limit` after the run began; nil has no end.
    package init(limit: Duration?, elapsed: @escaping () -> Duration) {
        self.limit = limit
        self.elapsed = elapsed
    }

    /// Whether there is an end.
    package var isLimited: Bool { limit != nil }

    /// Notes that packing `plans` and running them over `chunks` chunks took these seconds.
    package func note(plans: Int, packing: Double, chunks: Int, running: Double) {
        self.packing = max(self.packing, packing / Double(max(1, plans)))
        chunk = max(chunk, running / Double(max(1, plans * chunks)))
    }

    /// Sets `reserve` to what writing bundles takes: a run of the model over `positions` positions on one thread, twice that of
    /// a chunk for golden vectors and loading, and a disk that writes `bytes` and reads them back.
    package func reserve(bundles: Int, bytes: Int, positions: Int, chunkLength: Int, threads: Int) {
        let runs = 2 + Double(threads * positions) / Double(max(1, chunkLength))
        reserve = Double(bundles) * (runs * chunk + Double(bytes) / Self.diskBytesPerSecond)
    }

    /// A slow disk's.
    private static let diskBytesPerSecond = 150e6

    /// Seconds that measuring `plans` on `chunks` chunks takes, packing them where that was not done yet.
    package func seconds(plans: Int = 1, chunks: Int, isPacked: Bool = false) -> Double {
        Double(plans) * (Double(chunks) * chunk + (isPacked ? 0 : packing))
    }

    /// Whether an optional step of `seconds` may begin.
    package func allows(_ seconds: Double = 0) -> Bool {
        guard let limit else { return true }
        let fits = elapsed() + .seconds(seconds + reserve) <= limit
        if !fits { isCut = true }
        return fits
    }
}
