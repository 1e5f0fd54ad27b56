/// A dense float32 matrix, row-major.
package struct Matrix: Sendable, Equatable {
    /// The number of rows.
    package let rows: Int
    /// The number of columns: the length of a row.
    package let columns: Int
    /// rows x columns values, row after row.
    package var values: [Float]

    /// A matrix over `values`, which must hold rows x columns numbers.
    package init(rows: Int, columns: Int, values: [Float]) {
        precondition(values.count == rows * columns, "a matrix needs rows x columns values")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// A matrix of zeros.
    package init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, values: [Float](repeating: 0, count: rows * columns))
    }

    /// The difference to `other`, of the same shape.
    package func minus(_ other: Matrix) -> Matrix {
        var result = self
        for index in result.values.indices { result.values[index] -= other.values[index] }
        return result
    }

    /// Adds `other`, which has the same shape.
    package mutating func add(_ other: Matrix) {
        for index in values.indices { values[index] += other.values[index] }
    }

    /// The values of row `index`.
    package subscript(row index: Int) -> ArraySlice<Float> {
        values[index * columns..<(index + 1) * columns]
    }
}
