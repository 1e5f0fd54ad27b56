package import Compute

/// One tensor of a source model, still in its file's own type.
package struct ModelTensor: Sendable {
    /// Canonical name.
    package let name: String
    /// A vector has one row.
    package let rows: Int
    package let columns: Int
    package let type: TensorType
    /// The tensor's bytes inside the mapped file.
    package let bytes: MappedBytes
    /// Row order of the file where it differs from the canonical one (Hugging Face's q and k): file row of canonical row.
    package let rowOrder: [Int]?

    /// The whole tensor as float32.
    package func matrix() -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
        result.values.withUnsafeMutableBufferPointer { buffer in
            for row in 0..<rows {
                let target = UnsafeMutableBufferPointer(rebasing: buffer[row * columns..<(row + 1) * columns])
                read(row: row, into: target)
            }
        }
        return result
    }

    /// Row `row` as float32 into `target`, which has room for `columns` numbers.
    package func read(row: Int, into target: UnsafeMutableBufferPointer<Float>) {
        let stride = type.bytes(columns: columns)
        let fileRow = rowOrder?[row] ?? row
        bytes.withUnsafeBytes { all in
            type.decode(UnsafeRawBufferPointer(rebasing: all[fileRow * stride..<(fileRow + 1) * stride]), into: target)
        }
    }
}
