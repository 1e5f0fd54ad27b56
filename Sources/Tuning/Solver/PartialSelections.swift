/// Selections of some of the groups, the least reduced cost first; of those with the same sums only the best.
///
/// Layers of one shape have choices of one size, so that many selections differ in which layer has which choice only: they
/// fall together here.
struct PartialSelections {
    /// A choice that a group has left.
    struct Item {
        /// Of the instance.
        let index: Int
        let reduced: Double
        /// Its part of each sum.
        let weights: [Double]
    }

    /// The reduced cost of each selection, ascending.
    private(set) var reduced: [Double] = [0]
    /// `keys` numbers for each selection.
    private(set) var sums: [Double]
    /// The least reduced cost of any selection that was left out.
    private(set) var cutoff = Double.infinity
    /// Number of sums that are kept.
    let keys: Int
    /// Sums closer than this are the same: far above what rounding leaves, far below what a choice adds.
    private let tolerances: [Double]
    private let inverses: [Double]
    /// For each group that was added, where each selection comes from and the item that it took there.
    private var steps: [[(parent: Int32, item: Int32)]] = []

    var count: Int { reduced.count }

    /// The one selection of no group. `scales` is the range of each sum, 0 where it cannot change.
    init(scales: [Double]) {
        keys = scales.count
        sums = [Double](repeating: 0, count: scales.count)
        tolerances = scales.map { $0 > 0 ? 1e-12 * $0 : 1 }
        inverses = tolerances.map { 1 / $0 }
    }

    /// The items of the selection at `index`, the last group's first.
    func items(of index: Int) -> [Int] {
        var result: [Int] = []
        var place = index
        for step in steps.reversed() {
            result.append(Int(step[place].item))
            place = Int(step[place].parent)
        }
        return result
    }

    /// Adds a group: every selection with every item (ascending in reduced cost), of which those are kept whose reduced cost is
    /// below `limit`, the `capacity` least of them.
    mutating func add(_ items: [Item], below limit: Double, capacity: Int) {
        // Each item makes an ascending list of the selections that there are; they are merged.
        var heads = [Int](repeating: 0, count: items.count)
        var next = Merged(capacity: min(capacity, count * items.count), keys: keys)
        var candidate = [Double](repeating: 0, count: keys)
        while true {
            var least = Double.infinity
            var chosen = -1
            for (place, item) in items.enumerated() {
                // No list below this one has been begun.
                if heads[place] < count, reduced[heads[place]] + item.reduced < least {
                    least = reduced[heads[place]] + item.reduced
                    chosen = place
                }
                if heads[place] == 0 { break }
            }
            guard chosen >= 0, least < limit else { break }
            if next.reduced.count == capacity {
                cutoff = min(cutoff, least)
                break
            }
            let parent = heads[chosen]
            heads[chosen] += 1
            for key in 0..<keys { candidate[key] = sums[parent * keys + key] + items[chosen].weights[key] }
            next.insert(
                least, candidate, parent: parent, item: items[chosen].index, inverses: inverses, tolerances: tolerances)
        }
        reduced = next.reduced
        sums = next.sums
        steps.append(next.steps)
    }

    /// A list under construction, with a hash table over its sums.
    private struct Merged {
        var reduced: [Double] = []
        var sums: [Double] = []
        var steps: [(parent: Int32, item: Int32)] = []
        private var table: [Int32]
        private let keys: Int

        init(capacity: Int, keys: Int) {
            self.keys = keys
            var size = 16
            while size < 2 * capacity { size *= 2 }
            table = [Int32](repeating: -1, count: size)
            reduced.reserveCapacity(capacity)
            sums.reserveCapacity(capacity * keys)
            steps.reserveCapacity(capacity)
        }

        /// Appends a selection unless one with the same sums is there.
        mutating func insert(
            _ cost: Double, _ candidate: [Double], parent: Int, item: Int, inverses: [Double], tolerances: [Double]
        ) {
            var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
            for key in 0..<keys {
                let rounded = UInt64(bitPattern: Int64((candidate[key] * inverses[key]).rounded()))
                hash = (hash ^ rounded) &* 0xFF51_AFD7_ED55_8CCD
                hash ^= hash >> 32
            }
            var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
            while table[slot] >= 0 {
                let other = Int(table[slot]) * keys
                var isSame = true
                for key in 0..<keys where abs(sums[other + key] - candidate[key]) > tolerances[key] { isSame = false }
                if isSame { return }
                slot = (slot + 1) & (table.count - 1)
            }
            table[slot] = Int32(reduced.count)
            reduced.append(cost)
            sums += candidate
            steps.append((Int32(parent), Int32(item)))
        }
    }
}
