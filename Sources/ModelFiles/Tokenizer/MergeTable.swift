/// The merge rules of byte-pair encoding, to be found by the pair that they merge.
struct MergeTable: Sendable {
    /// A rule: tokens `left` and `right`, side by side, become `result`.
    struct Rule {
        let left: Int32
        let right: Int32
        let result: Int32
    }

    /// The rules of left token `l` are at `starts[l]..<starts[l + 1]`, ordered by right token.
    private let starts: [UInt32]
    private let rights: [Int32]
    private let ranks: [UInt32]
    private let results: [Int32]

    /// A table of `rules` in order of rank, over ids in `0..<tokens`. Neither count exceeds `Int32.max`.
    init(_ rules: [Rule], tokens: Int) {
        let order = rules.indices.sorted {
            (rules[$0].left, rules[$0].right, $0) < (rules[$1].left, rules[$1].right, $1)
        }
        var starts = [UInt32](repeating: 0, count: tokens + 1)
        for rule in rules { starts[Int(rule.left) + 1] += 1 }
        for token in 0..<tokens { starts[token + 1] += starts[token] }
        self.starts = starts
        rights = order.map { rules[$0].right }
        ranks = order.map { UInt32($0) }
        results = order.map { rules[$0].result }
    }

    /// The number of rules.
    var count: Int { ranks.count }

    /// The rule that merges `left` and `right`: a lower rank goes first.
    func rule(_ left: Int32, _ right: Int32) -> (rank: UInt32, result: Int32)? {
        var low = Int(starts[Int(left)])
        let end = Int(starts[Int(left) + 1])
        var high = end
        while low < high {
            let middle = (low + high) / 2
            if rights[middle] < right { low = middle + 1 } else { high = middle }
        }
        return low < end && rights[low] == right ? (ranks[low], results[low]) : nil
    }

    /// Ranks of two rules for the same pair, if there are any.
    var duplicate: (UInt32, UInt32)? {
        for token in starts.indices.dropLast() {
            let range = Int(starts[token])..<Int(starts[token + 1])
            for index in range.dropFirst() where rights[index] == rights[index - 1] {
                return (ranks[index - 1], ranks[index])
            }
        }
        return nil
    }

    /// The pairs in order of rank.
    var pairs: [(left: Int32, right: Int32)] {
        var pairs = [(left: Int32, right: Int32)](repeating: (0, 0), count: count)
        for token in starts.indices.dropLast() {
            for index in Int(starts[token])..<Int(starts[token + 1]) {
                pairs[Int(ranks[index])] = (Int32(token), rights[index])
            }
        }
        return pairs
    }

    /// Bytes that the table holds in memory.
    var residentBytes: Int {
        starts.residentBytes + rights.residentBytes + ranks.residentBytes + results.residentBytes
    }
}
