internal import Compute

extension BlockMatrix {
    /// The matrix whose columns are those of `parts`, one after the other; each is one block wide. Throws where there are none.
    init(joining parts: [BlockMatrix]) throws(QuantizationError) {
        guard let first = parts.first else {
            throw QuantizationError(.malformed, place: "matrix of blocks", "has no columns; give at least one block")
        }
        let size = first.format.blockBytes
        var bytes: [UInt8] = []
        bytes.reserveCapacity(first.rows * parts.count * size)
        for row in 0..<first.rows {
            for part in parts { bytes += part.bytes[row * size..<(row + 1) * size] }
        }
        try self.init(
            format: first.format, rows: first.rows, columns: parts.count * first.format.blockLength, bytes: bytes)
    }

    /// The same blocks with the codes of `quantized` and, where they are half-precision numbers of their own, its scales and
    /// minimums.
    func replacing(with quantized: QuantizedMatrix, pool: ThreadPool) throws(QuantizationError) -> BlockMatrix {
        let layout = BlockLayout(format)
        let (length, size) = (format.blockLength, format.blockBytes)
        var scales: [UInt16] = []
        var minimums: [UInt16] = []
        if quantized.hasHalfScales, case .float32(let numbers) = quantized.scales {
            scales = numbers.map { Float16($0).bitPattern }
            if case .minimums(let numbers) = quantized.offsets { minimums = numbers.map { Float16($0).bitPattern } }
        }
        var bytes = bytes
        let count = bytes.count / size
        bytes.withUnsafeMutableBufferPointer { bytes in
            quantized.codes.withUnsafeBufferPointer { codes in
                pool.forEach(count, chunk: 256) { (block: Int) in
                    let target = UnsafeMutableBufferPointer(rebasing: bytes[block * size..<(block + 1) * size])
                    layout.clearCodes(in: target)
                    layout.writeCodes(
                        UnsafeBufferPointer(rebasing: codes[block * length..<(block + 1) * length]), into: target)
                    guard !scales.isEmpty else { return }
                    layout.writeScale(scales[block], minimum: minimums.isEmpty ? 0 : minimums[block], into: target)
                }
            }
        }
        return try BlockMatrix(format: format, rows: rows, columns: columns, bytes: bytes)
    }
}
