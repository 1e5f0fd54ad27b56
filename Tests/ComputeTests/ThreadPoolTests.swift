import Compute
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
    @Test(arguments: [1, 2, 5]) func runsABodyOnceOnEachThread(threads: Int) {
        let pool = ThreadPool(threads: threads)
        let calls = (0..<threads).map { _ in Counter() }
        for _ in 0..<50 {
            pool.run { thread, count in
                #expect(count == threads)
                calls[thread].add(1)
            }
        }
        #expect(calls.map(\.value) == [Int](repeating: 50, count: threads))
    }

    @Test(arguments: [(1, 1), (2, 1), (3, 7), (2, 1000)]) func visitsEachIndexOnce(threads: Int, chunk: Int) {
        let pool = ThreadPool(threads: threads)
        for count in [0, 1, 6, 97] {
            let visits = (0..<count).map { _ in Counter() }
            pool.forEach(count, chunk: chunk) { (index: Int) in visits[index].add(1) }
            #expect(visits.allSatisfy { $0.value == 1 })
        }
    }

    @Test func scratchIsAlignedAndEachThreadsOwn() {
        let pool = ThreadPool(threads: 3)
        let failures = Counter()
        for floats in [10, 1000, 100] {
            pool.run { thread, _ in
                let memory = pool.scratch(thread: thread, floats: floats)
                if UInt(bitPattern: memory) % 64 != 0 { failures.add(1) }
                for round in 0..<100 {
                    memory.update(repeating: Float(thread * 1000 + round), count: floats)
                    for index in 0..<floats where memory[index] != Float(thread * 1000 + round) { failures.add(1) }
                }
            }
        }
        #expect(failures.value == 0)
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add(_ amount: Int) { count.add(amount, ordering: .relaxed) }
    }
}
