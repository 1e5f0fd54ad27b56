/// Turns one text after the other into tokens of a tokenizer; holds the working memory of a call.
struct BytePairEncoder {
    private let tokenizer: Tokenizer
    private let scanner: WordScanner
    private var text: [UInt8] = []
    private var cache: WordCache
    private var merger = WordMerger()
    /// The tokens so far.
    private(set) var output: [Int32] = []

    /// An encoder for about `bytes` bytes of text.
    init(tokenizer: Tokenizer, bytes: Int) {
        self.tokenizer = tokenizer
        scanner = WordScanner(preTokenizer: tokenizer.preTokenizer)
        cache = WordCache(bytes: bytes)
        text.reserveCapacity(bytes)
        output.reserveCapacity(bytes / 3 + 1)
    }

    /// Appends one token as it is.
    mutating func append(token: Int32) { output.append(token) }

    /// Appends the tokens of `segment`, valid UTF-8 that is cut into words by itself.
    mutating func append(text segment: ArraySlice<UInt8>) {
        // What came before stays, for the cache to compare with; the scanner looks only forward, to the end of the segment.
        var start = text.count
        text += segment
        while start < text.count {
            let end = scanner.endOfWord(text, from: start)
            append(word: start..<end)
            start = end
        }
    }

    private mutating func append(word: Range<Int>) {
        let slot = cache.slot(of: word, in: text)
        if let known = cache.tokens(of: word, at: slot, in: text) {
            output.reserveCapacity(output.count + known.count)
            for index in known { output.append(output[index]) }
            return
        }
        let first = output.count
        if let whole = tokenizer.wholeWords?.id(of: text[word], in: tokenizer.tokens) {
            output.append(whole)
        } else {
            merger.merge(text[word], tokenizer: tokenizer, into: &output)
        }
        cache.store(word, tokens: first..<output.count, at: slot)
    }
}

/// Where words of this call's text have been seen, and where their tokens stand in its output.
private struct WordCache {
    private struct Entry {
        var word: Range<Int>
        var tokens: Range<Int>
    }

    private static let mostEntries = 1 << 14
    private var entries: [Entry]
    private let mask: Int

    /// A cache for about `bytes` bytes of text.
    init(bytes: Int) {
        var count = 16
        while count < Self.mostEntries, count < bytes / 8 { count *= 2 }
        entries = [Entry](repeating: Entry(word: 0..<0, tokens: 0..<0), count: count)
        mask = count - 1
    }

    /// The place of the word at `range`: FNV-1a, folded.
    func slot(of range: Range<Int>, in text: [UInt8]) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in range { hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    }

    /// Where the output has the tokens of the word at `range`.
    func tokens(of range: Range<Int>, at slot: Int, in text: [UInt8]) -> Range<Int>? {
        let entry = entries[slot]
        guard entry.word.count == range.count else { return nil }
        for (old, new) in zip(entry.word, range) where text[old] != text[new] { return nil }
        return entry.tokens
    }

    mutating func store(_ word: Range<Int>, tokens: Range<Int>, at slot: Int) {
        entries[slot] = Entry(word: word, tokens: tokens)
    }
}
