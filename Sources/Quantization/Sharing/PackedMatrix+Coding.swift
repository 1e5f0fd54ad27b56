internal import Compute

extension PackedMatrix {
    /// The bytes of a matrix whose format has coded indices, as a file stores them: `Format.storedBytes` of them.
    ///
    /// Throws for other formats, and where the indices need more bytes than the format gives them.
    package func coded() throws(QuantizationError) -> [UInt8] {
        let place = "\(format) matrix of \(rows) x \(columns)"
        guard case .grid(let grid) = format, let stored = CodedLayout(grid, rows: rows, columns: columns) else {
            throw QuantizationError(.malformed, place: place, "its indices are stored as they are run, not coded")
        }
        let matrix = try unpacked()
        guard let indices = IndexCode(counts: matrix.codes.counts).encoded(matrix.codes, capacity: stored.indexBytes)
        else {
            throw QuantizationError(
                .malformed, place: place,
                "its indices need more than \(stored.indexBytes) bytes; choose a higher rate, or quantize it again")
        }
        var result = [UInt8]()
        result.reserveCapacity(stored.byteCount)
        bytes.withUnsafeBytes { packed in
            result += packed[..<layout.prologueBytes]
            for block in 0..<layout.rowBlocks {
                let start = layout.prologueBytes + block * layout.blockStride
                result += packed[start..<start + stored.blockScaleBytes]
            }
        }
        result += indices
        result += [UInt8](repeating: 0, count: stored.byteCount - result.count)
        return result
    }
}

extension [UInt8] {
    /// How often each value occurs, of 256.
    var counts: [Int] {
        withUnsafeBufferPointer { values in
            var counts = [Int](repeating: 0, count: 256)
            for value in values { counts[Int(value)] += 1 }
            return counts
        }
    }
}
