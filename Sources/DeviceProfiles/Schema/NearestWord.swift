/// Finds the word that was probably meant.
package enum NearestWord {
    /// The nearest candidate, if it is near enough to be a slip of the keys: a third of its letters, at least one.
    package static func find(_ word: String, among candidates: [String]) -> String? {
        guard let best = ranked(word, among: candidates).first else { return nil }
        let limit = max(1, max(best.count, min(word.count, 64)) / 3)
        return distance(word.lowercased(), best.lowercased()) <= limit ? best : nil
    }

    /// Candidates by distance without regard to case; among equals those with the same first letter, then those whose case
    /// is nearer, then in the order given.
    package static func ranked(_ word: String, among candidates: [String]) -> [String] {
        let folded = word.lowercased()
        let scored = candidates.enumerated().map { index, candidate in
            (
                candidate: candidate, folded: distance(folded, candidate.lowercased()),
                exact: distance(word, candidate), firstLetter: folded.first == candidate.lowercased().first ? 0 : 1,
                index: index
            )
        }
        return scored.sorted {
            ($0.folded, $0.firstLetter, $0.exact, $0.index) < ($1.folded, $1.firstLetter, $1.exact, $1.index)
        }.map(\.candidate)
    }

    /// Damerau-Levenshtein distance in its restricted form (optimal string alignment): insertions, deletions,
    /// substitutions and swaps of neighbours. Words are compared up to 64 letters.
    package static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first.prefix(64)), b = Array(second.prefix(64))
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
