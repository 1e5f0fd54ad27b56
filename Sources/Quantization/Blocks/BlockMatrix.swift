package import Compute
internal import ModelFiles

/// A matrix in one of GGUF's block types, as its bytes stand in a file: row after row, block after block.
package struct BlockMatrix: Sendable, Equatable {
    package let format: BlockFormat
    package let rows: Int
    package let columns: Int
    /// rows x columns / blockLength blocks of blockBytes bytes.
    package let bytes: [UInt8]

    /// A matrix over `bytes`. Throws where rows are not whole blocks or the bytes are not as many as the shape needs.
    package init(format: BlockFormat, rows: Int, columns: Int, bytes: [UInt8]) throws(QuantizationError) {
        let place = "\(format.rawValue) matrix of \(rows) x \(columns)"
        guard rows > 0, format.isLegal(columns: columns) else {
            throw QuantizationError(
                .illegalShape, place: place,
                "rows must be a multiple of \(format.blockLength) long; choose another format")
        }
        let (needed, overflow) = rows.multipliedReportingOverflow(by: format.tensorType.bytes(columns: columns))
        guard !overflow, bytes.count == needed else {
            throw QuantizationError(.malformed, place: place, "has \(bytes.count) bytes, but \(needed) are needed")
        }
        self.format = format
        self.rows = rows
        self.columns = columns
        self.bytes = bytes
    }

    /// The weights that the blocks stand for, as every reader of GGUF decodes them.
    package func dequantized() -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
        bytes.withUnsafeBytes { source in
            result.values.withUnsafeMutableBufferPointer { format.tensorType.decode(source, into: $0) }
        }
        return result
    }

    /// The same weights as codes with one scale (and minimum) for each group, the two levels of a K type's scales
    /// multiplied out in float32: what the integer runtime packs. Decodes to the same weights, bit for bit.
    package func decomposed(pool: ThreadPool? = nil) -> QuantizedMatrix {
        let groups = rows * columns / format.group
        var codes = [UInt8](repeating: 0, count: rows * columns)
        var scales = [Float](repeating: 0, count: groups)
        var minimums = [Float](repeating: 0, count: format.hasMinimums ? groups : 0)
        let layout = BlockLayout(format)
        let groupsPerBlock = format.blockLength / format.group
        bytes.withUnsafeBufferPointer { source in
            codes.withUnsafeMutableBufferPointer { target in
                scales.withUnsafeMutableBufferPointer { scales in
                    minimums.withUnsafeMutableBufferPointer { minimums in
                        (pool ?? ThreadPool(threads: 1)).forEach(source.count / format.blockBytes, chunk: 256) {
                            block in
                            let blockBytes = UnsafeBufferPointer(
                                rebasing: source[block * format.blockBytes..<(block + 1) * format.blockBytes])
                            layout.readCodes(
                                blockBytes,
                                into: UnsafeMutableBufferPointer(
                                    rebasing: target[block * format.blockLength..<(block + 1) * format.blockLength]))
                            for group in 0..<groupsPerBlock {
                                let slot = block * groupsPerBlock + group
                                scales[slot] = layout.scale(blockBytes, group: group)
                                if format.hasMinimums { minimums[slot] = layout.minimum(blockBytes, group: group) }
                            }
                        }
                    }
                }
            }
        }
        return QuantizedMatrix(
            format: .block(format), rows: rows, columns: columns, bits: format.bits, group: format.group, codes: codes,
            scales: .float32(scales), offsets: format.hasMinimums ? .minimums(minimums) : .constant(format.offset),
            codebooks: format == .iq4_nl ? TableBlockDecoder.nonlinear : [])
    }
}
