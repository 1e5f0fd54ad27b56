internal import CKernels
package import Compute

/// A matrix on its grid, before packing: one code for each weight and the numbers that turn codes into weights.
///
/// The weight at (row, column) is `scale * point + minimum`, where point is `codebook[code]` if there is a codebook, else
/// `code - offset`; scale, offset and minimum are those of (row, column / group).
package struct QuantizedMatrix: Sendable, Equatable {
    /// Scales: one for the tensor, one for each row, or one for each row and group (row-major).
    package enum Scales: Sendable, Equatable {
        /// Bit patterns of half-precision numbers: Fettle's own formats.
        case float16([UInt16])
        /// GGUF's two-level scales, multiplied out.
        case float32([Float])
    }

    /// What a code stands for before scaling.
    package enum Offsets: Sendable, Equatable {
        /// The same for the whole matrix.
        case constant(Int)
        /// One for each row and group, row-major, in units of `zeroUnit`.
        case zeroPoints([UInt8])
        /// Codes count from 0; a minimum (already signed and scaled) is added, one for each row and group.
        case minimums([Float])
    }

    package var format: Format
    package var rows: Int
    package var columns: Int
    /// Bits of a code, 2...8.
    package var bits: Int
    /// Columns that share a scale; `columns` for granularity channel and tensor.
    package var group: Int
    /// rows x columns codes, row-major, each below 2^bits.
    package var codes: [UInt8]
    package var scales: Scales
    package var offsets: Offsets
    /// Empty, or 2^bits entries for the tensor or for each block of 16 rows.
    package var codebooks: [Int8]

    package init(
        format: Format, rows: Int, columns: Int, bits: Int, group: Int, codes: [UInt8], scales: Scales,
        offsets: Offsets, codebooks: [Int8] = []
    ) {
        self.format = format
        self.rows = rows
        self.columns = columns
        self.bits = bits
        self.group = group
        self.codes = codes
        self.scales = scales
        self.offsets = offsets
        self.codebooks = codebooks
    }

    /// What zero points count in, as a part of a step.
    var zeroUnit: Float { 1 / Float(1 << fettle_zero_fraction(Int32(bits))) }

    /// The weights that the codes stand for, rows in parallel: what packing and kernels are held against.
    package func dequantized(pool: ThreadPool? = nil) -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
        result.values.withUnsafeMutableBufferPointer { values in
            codes.withUnsafeBufferPointer { codes in
                (pool ?? ThreadPool(threads: 1)).forEach(rows, chunk: 16) { row in
                    for index in row * columns / group..<(row + 1) * columns / group {
                        let run = index * group..<(index + 1) * group
                        decode(codes[run], slot: index, row: row, into: values[run])
                    }
                }
            }
        }
        return result
    }

    /// Decodes the codes of row and group number `slot`.
    private func decode(
        _ codes: Slice<UnsafeBufferPointer<UInt8>>, slot: Int, row: Int,
        into values: Slice<UnsafeMutableBufferPointer<Float>>
    ) {
        let codes = UnsafeBufferPointer(rebasing: codes)
        let values = UnsafeMutableBufferPointer(rebasing: values)
        let scale: Float =
            switch scales {
            case .float16(let bits): Float(Float16(bitPattern: bits[bits.count == 1 ? 0 : slot]))
            case .float32(let numbers): numbers[numbers.count == 1 ? 0 : slot]
            }
        switch offsets {
        case .constant where !codebooks.isEmpty:
            let entries = 1 << bits
            let table = codebooks.count == entries ? 0 : row / 16 * entries
            for (index, code) in codes.enumerated() { values[index] = scale * Float(codebooks[table + Int(code)]) }
        case .constant(let offset):
            let offset = Int32(offset)
            for (index, code) in codes.enumerated() { values[index] = scale * Float(Int32(code) - offset) }
        case .zeroPoints(let points):
            let offset = Float(points[slot]) * zeroUnit
            for (index, code) in codes.enumerated() { values[index] = scale * (Float(code) - offset) }
        case .minimums(let minimums):
            let minimum = minimums[slot]
            for (index, code) in codes.enumerated() { values[index] = scale * Float(code) + minimum }
        }
    }
}
