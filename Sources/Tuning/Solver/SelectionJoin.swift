/// Finds pairs of partial selections that together keep the limits and leave little slack.
///
/// The right half is sorted into strips by one sum and within each by another, those two whose windows of slack are narrowest;
/// each selection of the left half then meets only those that fit it.
struct SelectionJoin {
    private let core: OpenCore
    private let left: PartialSelections
    private let right: PartialSelections
    /// The sums that sort strips and within strips, as indices into the core's limits; nil where there are too few.
    private var strip: Int?
    private var line: Int?
    /// Right selections in sorted order, and where each strip begins.
    private var order: [Int32] = []
    private var starts: [Int32] = []
    private var keys: [Double] = []
    private var width = 1.0

    /// Sums may exceed a limit by this part of their range: exact sums decide afterwards.
    private static let margin = 1e-9
    /// Pairs that are looked at between two questions whether to stop.
    private static let patience = 1 << 16
    /// Pairs that are looked at for each selection of the left half, in the mean.
    private static let pairsPerSelection = 1024

    init(core: OpenCore, left: PartialSelections, right: PartialSelections) {
        self.core = core
        self.left = left
        self.right = right
    }

    /// Calls `visit` with the items and the least cost above the bound of each pair that may cost less than `limit`; it returns
    /// the new limit. Returns the least cost above the bound of a pair that was not looked at, infinity where all were.
    mutating func run(
        below limit: Double, isStopped: () -> Bool, visit: (_ items: [Int], _ cost: Double) -> Double
    ) -> Double {
        sort(limit)
        var limit = limit
        let count = core.slots.count
        var pairs = 0
        let most = Self.pairsPerSelection * max(left.count, 1 << 12)
        var asked = 0
        for index in 0..<left.count {
            let own = left.reduced[index]
            if own >= limit { break }
            if pairs > most { return own }
            if pairs + index - asked >= Self.patience {
                asked = pairs + index
                if isStopped() { return own }
            }
            let rest = (0..<count).map { core.room[$0] - left.sums[index * count + $0] }
            for (first, end) in ranges(rest, gap: limit - own) {
                var place = first
                while place < end {
                    let other = Int(order[place])
                    place += 1
                    pairs += 1
                    var cost = own + right.reduced[other]
                    if cost >= limit { continue }
                    var fits = true
                    for slot in 0..<count {
                        let slack = rest[slot] - right.sums[other * count + slot]
                        if slack < -Self.margin * core.scales[slot] {
                            fits = false
                            break
                        }
                        cost += core.multipliers[slot] * max(0, slack)
                    }
                    if fits, cost < limit {
                        limit = min(limit, visit(left.items(of: index) + right.items(of: other), cost))
                    }
                }
            }
        }
        return .infinity
    }

    /// The stretches of `order` that may hold partners for what `rest` leaves of each limit, where slack and reduced cost may
    /// be worth `gap`.
    private func ranges(_ rest: [Double], gap: Double) -> [(Int, Int)] {
        guard let line else { return [(0, order.count)] }
        let highest = rest[line] + Self.margin * core.scales[line]
        let lowest = rest[line] - gap / core.multipliers[line] - Self.margin * core.scales[line]
        var strips = 0..<starts.count - 1
        if let strip {
            let high = rest[strip] + Self.margin * core.scales[strip]
            let low = rest[strip] - gap / core.multipliers[strip] - Self.margin * core.scales[strip]
            if high < 0 { return [] }
            let last = Int(min(high / width, Double(starts.count - 2)))
            let first = Int(min(max(0, low / width), Double(starts.count)))
            if first > last { return [] }
            strips = first..<last + 1
        }
        return strips.compactMap { index in
            let end = Int(starts[index + 1])
            let first = lowerBound(lowest, Int(starts[index]), end)
            return first < end && keys[first] <= highest ? (first, lowerBound(highest.nextUp, first, end)) : nil
        }
    }

    /// The first place in `first..<end` whose key is at least `value`.
    private func lowerBound(_ value: Double, _ first: Int, _ end: Int) -> Int {
        var (low, high) = (first, end)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Sorts the right half for windows of slack worth `gap`.
    private mutating func sort(_ gap: Double) {
        let count = core.slots.count
        let windows = core.slots.indices.filter { core.multipliers[$0] > 0 }
            .map { (slot: $0, share: gap / core.multipliers[$0] / core.scales[$0]) }
            .sorted { ($0.share, $0.slot) < ($1.share, $1.slot) }
        line = windows.first?.slot
        strip = windows.dropFirst().first?.slot
        order = (0..<right.count).map { Int32($0) }
        starts = [0, Int32(right.count)]
        guard let line else { return }
        var strips = [Int32](repeating: 0, count: right.count)
        if let strip {
            // No more strips than selections: an empty strip costs as much as a full one.
            width = max(gap / core.multipliers[strip], core.scales[strip] / Double(right.count))
            for index in 0..<right.count { strips[index] = Int32(right.sums[index * count + strip] / width) }
        }
        order.sort {
            let (a, b) = (Int($0), Int($1))
            return (strips[a], right.sums[a * count + line], a) < (strips[b], right.sums[b * count + line], b)
        }
        keys = order.map { right.sums[Int($0) * count + line] }
        let strips0 = Int(strips.max() ?? 0)
        starts = [Int32](repeating: 0, count: strips0 + 2)
        for index in strips { starts[Int(index) + 1] += 1 }
        for index in 1..<starts.count { starts[index] += starts[index - 1] }
    }
}
