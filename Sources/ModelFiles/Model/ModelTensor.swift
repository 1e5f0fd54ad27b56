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
    /// What its numbers are multiplied by as they are read; nil for nothing.
    package private(set) var scaling: ChannelScaling?

    /// A tensor as its file has it.
    init(name: String, rows: Int, columns: Int, type: TensorType, bytes: MappedBytes, rowOrder: [Int]?) {
        self.name = name
        self.rows = rows
        self.columns = columns
        self.type = type
        self.bytes = bytes
        self.rowOrder = rowOrder
    }

    /// The same tensor with its numbers multiplied by `factors`, beside what they may be multiplied by already.
    func scaled(by factors: ChannelScaling) -> ModelTensor {
        var result = self
        result.scaling = scaling?.multiplied(by: factors) ?? factors
        return result
    }

    /// The whole tensor as float32.
    package func matrix() -> Matrix { matrix(rows: 0..<rows) }

    /// Some rows of the tensor as float32.
    package func matrix(rows chosen: some Collection<Int>) -> Matrix {
        var result = Matrix(rows: chosen.count, columns: columns)
        result.values.withUnsafeMutableBufferPointer { buffer in
            for (index, row) in chosen.enumerated() {
                let target = UnsafeMutableBufferPointer(rebasing: buffer[index * columns..<(index + 1) * columns])
                read(row: row, into: target)
            }
        }
        return result
    }

    /// At most `most` of the rows, spread evenly from the first one on.
    package func spreadRows(_ most: Int) -> [Int] {
        let count = min(most, rows)
        return (0..<count).map { $0 * rows / count }
    }

    /// Row `row` as float32 into `target`, which has room for `columns` numbers.
    package func read(row: Int, into target: UnsafeMutableBufferPointer<Float>) {
        let stride = type.bytes(columns: columns)
        let fileRow = rowOrder?[row] ?? row
        bytes.withUnsafeBytes { all in
            type.decode(UnsafeRawBufferPointer(rebasing: all[fileRow * stride..<(fileRow + 1) * stride]), into: target)
        }
        if let factors = scaling?.columns { for column in 0..<columns { target[column] *= factors[column] } }
        if let factor = scaling?.rows?[row] { for column in 0..<columns { target[column] *= factor } }
    }
}
