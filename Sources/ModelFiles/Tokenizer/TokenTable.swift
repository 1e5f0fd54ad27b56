/// The bytes of every token, in one piece of memory.
struct TokenTable: Sendable {
    private let bytes: [UInt8]
    /// The end of each token in `bytes`; the next begins there.
    private let ends: [UInt32]

    /// Creates the table of `tokens`, by id; nil where they have more than 4 GiB together.
    init?(_ tokens: [[UInt8]]) {
        var bytes: [UInt8] = []
        var ends: [UInt32] = []
        bytes.reserveCapacity(tokens.reduce(0) { $0 + $1.count })
        ends.reserveCapacity(tokens.count)
        for token in tokens {
            bytes += token
            guard let end = UInt32(exactly: bytes.count) else { return nil }
            ends.append(end)
        }
        self.bytes = bytes
        self.ends = ends
    }

    /// The number of tokens.
    var count: Int { ends.count }

    /// The bytes of token `id`, which is in `0..<count`.
    subscript(id: Int32) -> ArraySlice<UInt8> {
        let start = id == 0 ? 0 : Int(ends[Int(id) - 1])
        return bytes[start..<Int(ends[Int(id)])]
    }

    /// Bytes that the table holds in memory.
    var residentBytes: Int { bytes.residentBytes + ends.residentBytes }
}

/// Finds a token by its bytes: ids in the order of their bytes.
struct TokenIndex: Sendable {
    private let ids: [Int32]

    /// An index of `ids`, whose bytes are in `table`.
    init(_ ids: [Int32], in table: TokenTable) {
        self.ids = ids.sorted { left, right in
            let order = table[left].order(to: table[right])
            return order == 0 ? left < right : order < 0
        }
    }

    /// The id of the token that has just `bytes`.
    func id(of bytes: ArraySlice<UInt8>, in table: TokenTable) -> Int32? {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            let order = table[ids[middle]].order(to: bytes)
            if order == 0 { return ids[middle] }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Two tokens that have the same bytes, if there are any.
    func duplicate(in table: TokenTable) -> (Int32, Int32)? {
        zip(ids, ids.dropFirst()).first { table[$0].order(to: table[$1]) == 0 }
    }

    /// Bytes that the index holds in memory.
    var residentBytes: Int { ids.residentBytes }
}

extension ArraySlice<UInt8> {
    /// Below, at or above 0 where these bytes come before, equal or come after `other`.
    fileprivate func order(to other: ArraySlice<UInt8>) -> Int {
        withUnsafeBufferPointer { left in
            other.withUnsafeBufferPointer { right in
                for (a, b) in zip(left, right) where a != b { return Int(a) - Int(b) }
                return left.count - right.count
            }
        }
    }
}

extension Array {
    /// Bytes of the array's allocation, of elements without references: its two-word header behind the object's, the
    /// elements, and the most that glibc's malloc adds. Not by its capacity: that depends on what was free in the heap, and
    /// bundles of one model would differ by 16 bytes here and there.
    var residentBytes: Int {
        isEmpty ? 0 : (32 + count * MemoryLayout<Element>.stride + 8 + 15) / 16 * 16 + 8
    }
}
