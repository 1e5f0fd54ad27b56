/// Byte-pair encoding of one word: of all pairs side by side, the one of lowest rank merges, the leftmost first, until no
/// pair has a rule (Sennrich, Haddow and Birch, 2016). A heap keeps a word of n bytes at O(n log n).
struct WordMerger {
    private struct Symbol {
        /// Its token, or -1 where it has merged into the one before.
        var token: Int32
        var previous: Int
        var next: Int
    }

    private struct Candidate {
        let rank: UInt32
        let position: Int
        let left: Int32
        let right: Int32
        let result: Int32

        func goesBefore(_ other: Candidate) -> Bool {
            rank == other.rank ? position < other.position : rank < other.rank
        }
    }

    private var symbols: [Symbol] = []
    /// A binary heap, the next to merge at its root.
    private var heap: [Candidate] = []

    /// Appends the tokens of `word` to `output`. A byte without a token is left out, as `tokenizers` leaves it out.
    mutating func merge(_ word: ArraySlice<UInt8>, tokenizer: Tokenizer, into output: inout [Int32]) {
        symbols.removeAll(keepingCapacity: true)
        for byte in word {
            let token = tokenizer.byteTokens[Int(byte)]
            if token >= 0 {
                symbols.append(Symbol(token: token, previous: symbols.count - 1, next: symbols.count + 1))
            }
        }
        for position in symbols.indices.dropLast() { propose(position, tokenizer.merges) }
        while let candidate = takeFirst() { apply(candidate, tokenizer.merges) }
        for symbol in symbols where symbol.token >= 0 { output.append(symbol.token) }
    }

    /// Merges, unless one of the two symbols has merged with another since.
    private mutating func apply(_ candidate: Candidate, _ merges: MergeTable) {
        let position = candidate.position
        let next = symbols[position].next
        guard symbols[position].token == candidate.left, next < symbols.count, symbols[next].token == candidate.right
        else { return }
        let behind = symbols[next].next
        symbols[position].token = candidate.result
        symbols[position].next = behind
        symbols[next].token = -1
        if behind < symbols.count {
            symbols[behind].previous = position
            propose(position, merges)
        }
        if symbols[position].previous >= 0 { propose(symbols[position].previous, merges) }
    }

    /// Adds the pair that begins at `position` to the heap, if a rule merges it.
    private mutating func propose(_ position: Int, _ merges: MergeTable) {
        let left = symbols[position].token
        let right = symbols[symbols[position].next].token
        guard let (rank, result) = merges.rule(left, right) else { return }
        let candidate = Candidate(rank: rank, position: position, left: left, right: right, result: result)
        heap.append(candidate)
        var child = heap.count - 1
        while child > 0, case let parent = (child - 1) / 2, candidate.goesBefore(heap[parent]) {
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func takeFirst() -> Candidate? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while case let left = 2 * parent + 1, left < heap.count {
            let right = left + 1
            let child = right < heap.count && heap[right].goesBefore(heap[left]) ? right : left
            guard heap[child].goesBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return first
    }
}
