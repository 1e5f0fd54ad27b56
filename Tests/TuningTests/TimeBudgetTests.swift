import Testing
import Tuning

/// What a time limit leaves room for.
struct TimeBudgetTests {
    @Test func withoutALimitEverythingFits() {
        let budget = TimeBudget(limit: nil) { .seconds(1e9) }
        #expect(budget.allows(1e9) && !budget.isCut && !budget.isLimited)
    }

    /// A step fits if it, as long as its like took, and the bundle after it end before the limit.
    @Test func countsWhatMustComeAfterwards() {
        var now = Duration.seconds(2)
        let budget = TimeBudget(limit: .seconds(20)) { now }
        // Two plans: 1.5 s each to pack, and 0.25 s for each of 8 chunks.
        budget.note(plans: 2, packing: 3, chunks: 8, running: 4)
        #expect(budget.seconds(chunks: 8) == 3.5)
        #expect(budget.seconds(chunks: 8, isPacked: true) == 2)
        // Two bundles: a chunk on each of two threads one after the other and two more, and a second of the disk.
        budget.reserve(bundles: 2, bytes: 150_000_000, positions: 512, chunkLength: 512, threads: 2)
        #expect(budget.allows(13.9) && !budget.isCut)
        now = .seconds(10)
        #expect(budget.allows(budget.seconds(chunks: 8)))
        now = .seconds(13)
        #expect(!budget.allows(budget.seconds(chunks: 8)) && budget.isCut)
    }
}
