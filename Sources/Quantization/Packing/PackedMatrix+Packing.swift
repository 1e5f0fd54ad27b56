internal import CKernels
package import Compute

extension PackedMatrix {
    /// Packs a matrix, row blocks in parallel. Throws where its parts do not fit together.
    package init(packing matrix: QuantizedMatrix, pool: ThreadPool? = nil) throws(QuantizationError) {
        try matrix.validate()
        let layout = R16Layout(matrix)
        let bytes = AlignedBytes(count: layout.byteCount) { (target: UnsafeMutableRawBufferPointer) in
            let packer = Packer(matrix: matrix, layout: layout, target: target)
            packer.writePrologue()
            matrix.codes.withUnsafeBufferPointer { codes in
                (pool ?? ThreadPool(threads: 1)).forEach(layout.rowBlocks) { packer.writeBlock($0, codes: codes) }
            }
        }
        self.init(format: matrix.format, layout: layout, bytes: bytes)
    }

    /// Packs weights as format `f16`, rounded to the nearest half. Throws where one is beyond half precision or not a number.
    package init(float16 weights: Matrix, pool: ThreadPool? = nil) throws(QuantizationError) {
        let layout = try R16Layout(storing: .float16, rows: weights.rows, columns: weights.columns)
        try weights.checkHalfPrecision()
        let bytes = AlignedBytes(count: layout.byteCount) { (target: UnsafeMutableRawBufferPointer) in
            weights.values.withUnsafeBufferPointer { values in
                (pool ?? ThreadPool(threads: 1)).forEach(layout.rowBlocks) { block in
                    let rows = layout.rows(ofBlock: block)
                    let first = rows.lowerBound * weights.columns
                    let halves = (first..<first + rows.count * weights.columns).map { Float16(values[$0]).bitPattern }
                    fettle_pack_half_tiles(
                        halves, weights.columns, Int32(rows.count), weights.columns,
                        target.bytes(at: block * layout.blockStride))
                }
            }
        }
        self.init(format: .float16, layout: layout, bytes: bytes)
    }
}

extension R16Layout {
    /// The layout of a valid matrix.
    init(_ matrix: QuantizedMatrix) {
        let offsets: Offsets =
            switch matrix.offsets {
            case .constant(let offset): .constant(offset)
            case .zeroPoints: .zeroPoints
            case .minimums: .minimums
            }
        let scales: Scales =
            switch matrix.scales {
            case .float16: matrix.hasTensorScale ? .tensor : .float16
            case .float32: .float32
            }
        self.init(
            rows: matrix.rows, columns: matrix.columns, bits: matrix.bits, group: matrix.group, scales: scales,
            offsets: offsets, codebooks: matrix.codebooks.count >> matrix.bits)
    }

    /// The rows that block `index` holds: 16, or fewer in the last one.
    package func rows(ofBlock index: Int) -> Range<Int> {
        index * Self.rowsPerBlock..<min(rows, (index + 1) * Self.rowsPerBlock)
    }
}

/// Writes the parts of one matrix to their places. Blocks may be written in any order and in parallel.
private struct Packer {
    let matrix: QuantizedMatrix
    let layout: R16Layout
    let target: UnsafeMutableRawBufferPointer

    func writePrologue() {
        let prologue = UnsafeMutableRawBufferPointer(rebasing: target[..<layout.prologueBytes])
        prologue.initializeMemory(as: UInt8.self, repeating: 0)
        if layout.scales == .tensor, case .float16(let scales) = matrix.scales {
            prologue.storeBytes(of: scales[0].littleEndian, as: UInt16.self)
        }
        let tables = UnsafeMutableRawBufferPointer(rebasing: prologue[min(layout.codebookOffset, prologue.count)...])
        for (index, entry) in matrix.codebooks.enumerated() { tables[index] = UInt8(bitPattern: entry) }
    }

    func writeBlock(_ index: Int, codes: UnsafeBufferPointer<UInt8>) {
        let start = layout.prologueBytes + index * layout.blockStride
        let rows = layout.rows(ofBlock: index)
        UnsafeMutableRawBufferPointer(rebasing: target[start..<start + layout.tileOffset])
            .initializeMemory(as: UInt8.self, repeating: 0)
        switch matrix.scales {
        case .float16(let scales) where layout.scales == .float16: scatter(scales, rows, at: start)
        case .float16: break
        case .float32(let scales): scatter(scales, rows, at: start)
        }
        switch matrix.offsets {
        case .constant: break
        case .zeroPoints(let points): scatter(points, rows, at: start + layout.scaleBytes)
        case .minimums(let minimums): scatter(minimums, rows, at: start + layout.scaleBytes)
        }
        let first = UnsafeBufferPointer(
            rebasing: codes[rows.lowerBound * layout.columns..<rows.upperBound * layout.columns])
        fettle_pack_tiles(
            first.baseAddress, layout.columns, Int32(rows.count), layout.columns, Int32(layout.bits),
            target.bytes(at: start + layout.tileOffset))
    }

    /// Row-major values of `rows` to [group][row], from byte `start` of the target.
    private func scatter<Value: BitwiseCopyable>(_ values: [Value], _ rows: Range<Int>, at start: Int) {
        let groups = layout.groups
        let slots = UnsafeMutableRawBufferPointer(rebasing: target[start...]).assumingMemoryBound(to: Value.self)
        values.withUnsafeBufferPointer { values in
            for row in rows {
                for group in 0..<groups {
                    slots[group * R16Layout.rowsPerBlock + row - rows.lowerBound] = values[row * groups + group]
                }
            }
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The bytes from `offset` on.
    fileprivate func bytes(at offset: Int) -> UnsafeMutablePointer<UInt8>? {
        UnsafeMutableRawBufferPointer(rebasing: self[offset...]).assumingMemoryBound(to: UInt8.self).baseAddress
    }
}
