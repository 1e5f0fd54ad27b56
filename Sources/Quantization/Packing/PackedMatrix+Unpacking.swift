internal import CKernels
package import Compute

extension PackedMatrix {
    /// The matrix that was packed, exactly. Throws for format `f16`, which has no codes.
    package func unpacked() throws(QuantizationError) -> QuantizedMatrix {
        guard bits <= 8 else {
            throw QuantizationError(
                .malformed, place: "\(format) matrix", "half-precision weights have no codes; dequantize them instead")
        }
        return bytes.withUnsafeBytes { source in
            let unpacker = Unpacker(layout: layout, source: source)
            return QuantizedMatrix(
                format: format, rows: rows, columns: columns, bits: bits, group: group, codes: unpacker.codes(),
                scales: unpacker.scales(), offsets: unpacker.offsets(), codebooks: unpacker.codebooks())
        }
    }

    /// The weights that the packed bytes stand for, of any format.
    package func dequantized(pool: ThreadPool? = nil) -> Matrix {
        if let matrix = try? unpacked() { return matrix.dequantized(pool: pool) }
        var halves = [UInt16](repeating: 0, count: rows * columns)
        halves.withUnsafeMutableBufferPointer { halves in
            bytes.withUnsafeBytes { source in
                for block in 0..<layout.rowBlocks {
                    let rows = layout.rows(ofBlock: block)
                    fettle_unpack_half_tiles(
                        source.bytes(at: block * blockStride), Int32(rows.count), columns,
                        halves.pointer(at: rows.lowerBound * columns), columns)
                }
            }
        }
        return Matrix(rows: rows, columns: columns, values: halves.map { Float(Float16(bitPattern: $0)) })
    }
}

/// Reads the parts of a matrix from packed bytes of the right number.
private struct Unpacker {
    let layout: R16Layout
    let source: UnsafeRawBufferPointer

    func codes() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: layout.rows * layout.columns) { codes, count in
            for block in 0..<layout.rowBlocks {
                let rows = layout.rows(ofBlock: block)
                fettle_unpack_tiles(
                    source.bytes(at: start(ofBlock: block) + layout.tileOffset), Int32(rows.count), layout.columns,
                    Int32(layout.bits), codes.pointer(at: rows.lowerBound * layout.columns), layout.columns)
            }
            count = codes.count
        }
    }

    func scales() -> QuantizedMatrix.Scales {
        switch layout.scales {
        case .tensor: .float16([UInt16(littleEndian: source.loadUnaligned(as: UInt16.self))])
        case .float16: .float16(gather(at: 0))
        case .float32: .float32(gather(at: 0))
        case .absent: .float16([])
        }
    }

    func offsets() -> QuantizedMatrix.Offsets {
        switch layout.offsets {
        case .constant(let offset): .constant(offset)
        case .zeroPoints: .zeroPoints(gather(at: layout.scaleBytes))
        case .minimums: .minimums(gather(at: layout.scaleBytes))
        }
    }

    func codebooks() -> [Int8] {
        source[layout.codebookOffset...].prefix(layout.codebooks * layout.codebookEntries).map(Int8.init(bitPattern:))
    }

    private func start(ofBlock block: Int) -> Int { layout.prologueBytes + block * layout.blockStride }

    /// The values at `offset` of each row block, from [group][row] to row-major.
    private func gather<Value: BitwiseCopyable>(at offset: Int) -> [Value] {
        (0..<layout.rowBlocks).flatMap { block in
            layout.rows(ofBlock: block).flatMap { row in
                (0..<layout.groups).map { group in
                    let slot = group * R16Layout.rowsPerBlock + row % R16Layout.rowsPerBlock
                    return source.loadUnaligned(
                        fromByteOffset: start(ofBlock: block) + offset + slot * MemoryLayout<Value>.stride,
                        as: Value.self)
                }
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes from `offset` on.
    fileprivate func bytes(at offset: Int) -> UnsafePointer<UInt8>? {
        UnsafeRawBufferPointer(rebasing: self[offset...]).assumingMemoryBound(to: UInt8.self).baseAddress
    }
}

extension UnsafeMutableBufferPointer {
    /// Where element `index` is.
    fileprivate func pointer(at index: Int) -> UnsafeMutablePointer<Element>? {
        UnsafeMutableBufferPointer(rebasing: self[index...]).baseAddress
    }
}
