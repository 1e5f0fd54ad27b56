package import CKernels

/// Which operand of a matrix product is read along its columns.
package enum ProductForm: Sendable {
    /// A B: the gradient of a layer's input, dx = g W.
    case plain
    /// A Bᵀ: a layer's output, y = x Wᵀ, W being outputs x inputs.
    case transposedRight
    /// Aᵀ B: the gradient of a layer's weights, dW = gᵀ x.
    case transposedLeft
}

extension ThreadPool {
    /// The product of two float32 matrices. An element's sum runs over blocks of 192 in a fixed order: its bits depend
    /// neither on the instruction set nor on the number of threads, nor on the other rows and columns.
    package func product(_ a: Matrix, _ b: Matrix, _ form: ProductForm) -> Matrix {
        var c = Matrix(
            rows: form == .transposedLeft ? a.columns : a.rows, columns: form == .transposedRight ? b.rows : b.columns)
        multiply(a, b, form, into: &c)
        return c
    }

    /// Aᵀ A, the same bits as `product(a, a, .transposedLeft)` in little more than half the time: what lies below the diagonal is
    /// copied from above it.
    package func gram(_ a: Matrix) -> Matrix {
        let count = a.columns
        var result = Matrix(rows: count, columns: count)
        guard count > 0, a.rows > 0 else { return result }
        let panels = (count + Self.gramRows - 1) / Self.gramRows
        a.values.withUnsafeBufferPointer { values in
            result.values.withUnsafeMutableBufferPointer { target in
                guard let values = values.baseAddress, let target = target.baseAddress else { return }
                // The widest rows first, so that none is left for the end.
                forEach(panels) { (thread: Int, index: Int) in
                    let first = index * Self.gramRows
                    var part = fettle_product(
                        a: values + first, b: values + first, c: target + first * count + first,
                        rows: min(Self.gramRows, count - first), columns: count - first, depth: a.rows, a_row: 1,
                        a_depth: count, b_depth: count, b_column: 1, c_row: count, accumulates: false)
                    fettle_multiply(
                        instructionSet.cValue, &part, scratch(thread: thread, floats: fettle_product_workspace()))
                }
                forEach(panels) { (index: Int) in
                    for row in index * Self.gramRows..<min(count, (index + 1) * Self.gramRows) {
                        for column in 0..<row { target[row * count + column] = target[column * count + row] }
                    }
                }
            }
        }
        return result
    }

    /// Rows of a square that a thread makes at a time.
    private static let gramRows = 192

    /// Writes the product of `a` and `b` into `c`, which has its shape, or adds it to `c` block by block.
    package func multiply(
        _ a: Matrix, _ b: Matrix, _ form: ProductForm, into c: inout Matrix, adding: Bool = false
    ) {
        let depth = form == .transposedLeft ? a.rows : a.columns
        let rows = form == .transposedLeft ? a.columns : a.rows
        let columns = form == .transposedRight ? b.rows : b.columns
        precondition(depth == (form == .transposedRight ? b.columns : b.rows), "inner sides of a product must agree")
        precondition(c.rows == rows && c.columns == columns, "a product needs a target of its own shape")
        guard rows > 0, columns > 0, depth > 0 else {
            if !adding { c = Matrix(rows: rows, columns: columns) }
            return
        }
        a.values.withUnsafeBufferPointer { aValues in
            b.values.withUnsafeBufferPointer { bValues in
                c.values.withUnsafeMutableBufferPointer { cValues in
                    guard let aBase = aValues.baseAddress, let bBase = bValues.baseAddress,
                        let cBase = cValues.baseAddress
                    else { return }
                    multiply(
                        fettle_product(
                            a: aBase, b: bBase, c: cBase, rows: rows, columns: columns, depth: depth,
                            a_row: form == .transposedLeft ? 1 : a.columns,
                            a_depth: form == .transposedLeft ? a.columns : 1,
                            b_depth: form == .transposedRight ? 1 : b.columns,
                            b_column: form == .transposedRight ? b.columns : 1,
                            c_row: columns, accumulates: adding))
                }
            }
        }
    }

    /// Computes a product of parts of matrices, cut into rectangles that free threads take in turn.
    package func multiply(_ product: fettle_product) {
        let rowsAtOnce = min(product.rows, 768)
        let tilesPerThread = (product.columns / 32 + 4 * threads - 1) / (4 * threads)
        let columnsAtOnce = 32 * min(12, max(1, tilesPerThread))
        let across = (product.columns + columnsAtOnce - 1) / columnsAtOnce
        let down = (product.rows + rowsAtOnce - 1) / rowsAtOnce
        forEach(across * down) { (thread: Int, index: Int) in
            let row = index / across * rowsAtOnce
            let column = index % across * columnsAtOnce
            var part = product
            part.rows = min(rowsAtOnce, product.rows - row)
            part.columns = min(columnsAtOnce, product.columns - column)
            part.a = product.a + row * product.a_row
            part.b = product.b + column * product.b_column
            part.c = product.c + row * product.c_row + column
            fettle_multiply(
                instructionSet.cValue, &part, scratch(thread: thread, floats: fettle_product_workspace()))
        }
    }
}
