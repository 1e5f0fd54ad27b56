extension String {
    /// The word of `words` that the fewest insertions, deletions and replacements turn this one into; the first of equals.
    func nearest(among words: [String]) -> String {
        let found = Array(utf8.prefix(32))
        return words.min { Self.distance(found, Array($0.utf8)) < Self.distance(found, Array($1.utf8)) } ?? ""
    }

    /// In quotes, cut to what fits in a line of an error.
    var quoted: String { utf8.count <= 40 ? "\"\(self)\"" : "\"\(prefix(32))...\"" }

    /// Levenshtein's distance.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var current = [i + 1]
            for (j, other) in b.enumerated() {
                current.append(Swift.min(previous[j] + (byte == other ? 0 : 1), previous[j + 1] + 1, current[j] + 1))
            }
            previous = current
        }
        return previous[b.count]
    }
}
