/// One of several parts that scoring is divided into.
package struct Shard: Sendable, Equatable {
    /// From 0.
    package let index: Int
    package let count: Int

    /// All of the work.
    package static let whole = Shard(index: 0, count: 1)

    private init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// The shard that `text` names, from `1/n` to `n/n`; nil where it is none.
    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard parts.count == 2, (1...10_000).contains(parts[1]), (1...parts[1]).contains(parts[0]) else { return nil }
        index = parts[0] - 1
        count = parts[1]
    }

    /// The indices of the shard's part of things that cost this much: the dearest first, each to the shard that has least so far.
    package func part(of costs: [Double]) -> Set<Int> {
        var loads = [Double](repeating: 0, count: count)
        var result: Set<Int> = []
        for item in costs.indices.sorted(by: { (-costs[$0], $0) < (-costs[$1], $1) }) {
            let shard = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[shard] += costs[item]
            if shard == index { result.insert(item) }
        }
        return result
    }
}
