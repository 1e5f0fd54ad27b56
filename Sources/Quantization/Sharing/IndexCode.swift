internal import CKernels

/// The entropy code of a matrix's indices: how many of 2^14 slots each symbol has (static rANS, Duda, 2014).
package struct IndexCode: Sendable, Equatable {
    /// Of each symbol up to the last one in use; together 2^14.
    package let frequencies: [UInt16]

    private static let slots = Int(FETTLE_INDEX_SLOTS)
    static let lanes = Int(FETTLE_INDEX_LANES)

    /// The code that suits indices which occur so often. One of them at least must occur.
    package init(counts: [Int]) {
        let used = counts[...(counts.lastIndex { $0 > 0 } ?? 0)]
        let total = max(1, used.reduce(0, +))
        // 2^14 times the count stays below 2^63 for every matrix there is.
        var frequencies = used.map { $0 == 0 ? 0 : max(1, ($0 * Self.slots + total / 2) / total) }
        var missing = Self.slots - frequencies.reduce(0, +)
        if used.allSatisfy({ $0 == 0 }) { (frequencies, missing) = ([Self.slots], 0) }
        // A slot more or less goes where it gains most or costs least: about count / frequency.
        while missing != 0 {
            func worth(_ symbol: Int) -> Double {
                Double(used[symbol]) / (Double(frequencies[symbol]) + (missing > 0 ? 0.5 : -0.5))
            }
            let symbols = frequencies.indices.filter { frequencies[$0] > (missing > 0 ? 0 : 1) }
            let best = missing > 0 ? symbols.max { worth($0) < worth($1) } : symbols.min { worth($0) < worth($1) }
            frequencies[best ?? 0] += missing.signum()
            missing -= missing.signum()
        }
        self.frequencies = frequencies.map(UInt16.init)
    }

    /// Reads a code from the start of `bytes`; nil where they hold none.
    init?(reading bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 2 else { return nil }
        let count = Int(bytes.loadUnaligned(as: UInt16.self).littleEndian)
        var next = 2 + (count + 7) / 8
        guard (1...256).contains(count), bytes.count >= next else { return nil }
        var frequencies = [UInt16](repeating: 0, count: count)
        for symbol in 0..<count where bytes[2 + symbol / 8] >> (symbol % 8) & 1 == 1 {
            guard next + 2 <= bytes.count else { return nil }
            frequencies[symbol] = bytes.loadUnaligned(fromByteOffset: next, as: UInt16.self).littleEndian
            next += 2
        }
        self.frequencies = frequencies
        guard frequencies.reduce(0, { $0 + Int($1) }) == Self.slots, self.bytes.count == next else { return nil }
    }

    /// As `init(reading:)` reads it: the number of symbols in 16 bits, a bit for each that is used, and their frequencies in 16 bits.
    var bytes: [UInt8] {
        var used = [UInt8](repeating: 0, count: (frequencies.count + 7) / 8)
        for (symbol, frequency) in frequencies.enumerated() where frequency > 0 {
            used[symbol / 8] |= 1 << (symbol % 8)
        }
        func words(_ values: [UInt16]) -> [UInt8] {
            values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        }
        return words([UInt16(frequencies.count)]) + used + words(frequencies.filter { $0 > 0 })
    }

    /// Bytes of `bytes` and of the lanes' states that follow it.
    var headBytes: Int { bytes.count + Self.lanes * MemoryLayout<UInt32>.size }

    /// Bytes that indices of these counts will take, head included: what the slots say, and a word more for each lane.
    func estimatedBytes(counts: [Int]) -> Int { headBytes + Int(bits(counts: counts) / 8) + 2 * Self.lanes }

    /// Bits that indices of these counts take by the slots of their symbols.
    func bits(counts: [Int]) -> Double {
        zip(counts, frequencies).reduce(0.0) { sum, symbol in
            symbol.0 == 0 ? sum : sum + Double(symbol.0) * (14 - Double(symbol.1).binaryLogarithm)
        }
    }

    /// The indices in at most `capacity` bytes: the code, the states that decoding begins with, and words. Nil where they need more.
    package func encoded(_ indices: [UInt8], capacity: Int) -> [UInt8]? {
        guard capacity >= headBytes, indices.count.isMultiple(of: Self.lanes) else { return nil }
        var states = [UInt32](repeating: 0, count: Self.lanes)
        let room = capacity - headBytes
        var words = [UInt8](repeating: 0, count: room)
        let used = words.withUnsafeMutableBufferPointer { words in
            withCode { fettle_encode_indices($0, indices, indices.count, words.baseAddress, room, &states) }
        }
        guard used >= 0 else { return nil }
        let head = states.flatMap { state in (0..<4).map { UInt8(truncatingIfNeeded: state >> (8 * $0)) } }
        return bytes + head + words[(room - used)...]
    }

    /// Calls `body` with the code as the kernels take it.
    private func withCode<Result>(_ body: (UnsafePointer<fettle_index_code>) -> Result) -> Result {
        let starts = frequencies.indices.map { frequencies[..<$0].reduce(0, +) }
        return frequencies.withUnsafeBufferPointer { frequencies in
            starts.withUnsafeBufferPointer { starts in
                withUnsafePointer(
                    to: fettle_index_code(
                        frequencies: frequencies.baseAddress, starts: starts.baseAddress, symbols: nil), body)
            }
        }
    }
}

/// Decodes the indices of a matrix in runs, whatever the bytes are.
package final class IndexDecoder {
    /// The highest index that can come.
    let highest: Int
    private let frequencies: UnsafeMutablePointer<UInt16>
    private let starts: UnsafeMutablePointer<UInt16>
    private let symbols: UnsafeMutablePointer<UInt8>
    private var state = fettle_index_decoder()

    /// A decoder of what `IndexCode.encoded` made; nil where `bytes`, which it reads as long as it lives, do not begin like that.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard let code = IndexCode(reading: bytes), bytes.count >= code.headBytes, let base = bytes.baseAddress
        else { return nil }
        let head = code.bytes.count
        let states = (0..<IndexCode.lanes).map {
            bytes.loadUnaligned(fromByteOffset: head + 4 * $0, as: UInt32.self).littleEndian
        }
        guard states.allSatisfy({ $0 >= FETTLE_INDEX_STATE }) else { return nil }
        highest = code.frequencies.count - 1
        frequencies = .allocate(capacity: code.frequencies.count)
        starts = .allocate(capacity: code.frequencies.count)
        symbols = .allocate(capacity: Int(FETTLE_INDEX_SLOTS))
        var first = 0
        for (symbol, frequency) in code.frequencies.enumerated() {
            frequencies[symbol] = frequency
            starts[symbol] = UInt16(first)
            (symbols + first).initialize(repeating: UInt8(symbol), count: Int(frequency))
            first += Int(frequency)
        }
        withUnsafeMutableBytes(of: &state.states) { $0.copyBytes(from: states.withUnsafeBytes(Array.init)) }
        state.next = (base + code.headBytes).assumingMemoryBound(to: UInt8.self)
        state.end = (base + bytes.count).assumingMemoryBound(to: UInt8.self)
    }

    deinit {
        frequencies.deallocate()
        starts.deallocate()
        symbols.deallocate()
    }

    /// The next indices, whose number is a multiple of the lanes. False where the bytes end before.
    package func decode(into indices: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        var code = fettle_index_code(frequencies: frequencies, starts: starts, symbols: symbols)
        return fettle_decode_indices(&code, &state, indices.baseAddress, indices.count)
    }

    /// Where the first byte that is still to be read lies.
    var next: UnsafeRawPointer? { state.next.map(UnsafeRawPointer.init) }

    /// Whether every lane is back where coding began and only zeros are left: all has been read, and read as it was written.
    package var isComplete: Bool {
        let isAtStart = withUnsafeBytes(of: state.states) { states in
            (0..<IndexCode.lanes).allSatisfy {
                states.load(fromByteOffset: 4 * $0, as: UInt32.self) == FETTLE_INDEX_STATE
            }
        }
        guard isAtStart, let next = state.next, let end = state.end else { return false }
        return UnsafeBufferPointer(start: next, count: end - next).allSatisfy { $0 == 0 }
    }
}
