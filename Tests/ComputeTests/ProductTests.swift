import Compute
import Testing

@Suite struct ProductTests {
    /// Sides around the edges of tiles (4, 6, 8 rows; 8, 16, 32 columns), of blocks of depth (192) and of strips (384).
    private static let shapes: [(rows: Int, columns: Int, depth: Int)] = [
        (1, 1, 1), (3, 5, 7), (8, 32, 192), (9, 33, 193), (13, 47, 385), (50, 70, 20), (2, 400, 9), (390, 5, 200),
    ]
    private static let forms: [ProductForm] = [.plain, .transposedRight, .transposedLeft]

    /// Sides around those of a panel, 192.
    @Test(arguments: [1, 40, 192, 193, 400]) func gramIsTheProductToTheBit(columns: Int) {
        var generator = SeededGenerator(seed: UInt64(columns))
        let matrix = Matrix(
            rows: 230, columns: columns, values: (0..<230 * columns).map { _ in Float(2 * generator.unit() - 1) })
        for threads in 1...3 {
            let pool = ThreadPool(threads: threads)
            #expect(pool.gram(matrix) == pool.product(matrix, matrix, .transposedLeft))
        }
    }

    @Test(arguments: shapes.indices, forms) func agreesWithSumsInDouble(shape: Int, form: ProductForm) {
        let problem = Problem(ProductTests.shapes[shape], form: form, seed: UInt64(shape))
        let result = ThreadPool(threads: 2).product(problem.a, problem.b, form)
        // Factors are below 1: an error of half an ulp at each of `depth` steps stays below depth * 2^-24 * depth,
        // and rounding errors are independent, so that their sum grows with the root.
        let tolerance = 8 * Double(problem.depth).squareRoot() * 0x1p-24 * Double(problem.depth).squareRoot() + 1e-7
        for (value, exact) in zip(result.values, problem.exact) {
            #expect(abs(Double(value) - exact) <= tolerance)
        }
    }

    @Test(arguments: forms) func addsToItsTarget(form: ProductForm) {
        let problem = Problem((9, 33, 20), form: form, seed: 5)
        let pool = ThreadPool(threads: 2)
        let product = pool.product(problem.a, problem.b, form)
        var target = Matrix(rows: 9, columns: 33, values: (0..<9 * 33).map { Float($0) })
        pool.multiply(problem.a, problem.b, form, into: &target, adding: true)
        // One block of depth: the target is added to once.
        #expect(target.values == product.values.enumerated().map { Float($0.offset) + $0.element })
    }

    @Test(arguments: shapes.indices, forms) func isTheSameBitsEverywhere(shape: Int, form: ProductForm) {
        let problem = Problem(ProductTests.shapes[shape], form: form, seed: 77)
        func products(_ pool: ThreadPool) -> [Matrix] {
            let product = pool.product(problem.a, problem.b, form)
            var added = Matrix(
                rows: product.rows, columns: product.columns,
                values: product.values.indices.map { 1 / Float($0 + 1) })
            pool.multiply(problem.a, problem.b, form, into: &added, adding: true)
            return [product, added]
        }
        let expected = products(ThreadPool(threads: 1, instructionSet: .scalar))
        for instructionSet in InstructionSet.allCases where instructionSet.isSupported {
            for threads in [1, 2, 3] {
                #expect(products(ThreadPool(threads: threads, instructionSet: instructionSet)) == expected)
            }
        }
    }

    /// Few rows take another path through the kernels.
    @Test func doesNotDependOnOtherRows() {
        let problem = Problem((40, 50, 300), form: .transposedRight, seed: 3)
        let pool = ThreadPool(threads: 1)
        let all = pool.product(problem.a, problem.b, .transposedRight)
        for row in 0..<40 {
            let one = Matrix(rows: 1, columns: 300, values: Array(problem.a[row: row]))
            #expect(pool.product(one, problem.b, .transposedRight).values == Array(all[row: row]))
        }
    }

    private struct Problem {
        let a: Matrix
        let b: Matrix
        let depth: Int
        let exact: [Double]

        init(_ shape: (rows: Int, columns: Int, depth: Int), form: ProductForm, seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            func random(_ rows: Int, _ columns: Int) -> Matrix {
                Matrix(
                    rows: rows, columns: columns,
                    values: (0..<rows * columns).map { _ in Float(2 * generator.unit() - 1) })
            }
            let (rows, columns, depth) = shape
            let a = form == .transposedLeft ? random(depth, rows) : random(rows, depth)
            let b = form == .transposedRight ? random(columns, depth) : random(depth, columns)
            self.a = a
            self.b = b
            self.depth = depth
            exact = (0..<rows * columns).map { cell in
                let (row, column) = (cell / columns, cell % columns)
                return (0..<depth).reduce(0.0) { sum, k in
                    let left = form == .transposedLeft ? a.values[k * rows + row] : a.values[row * depth + k]
                    let right = form == .transposedRight ? b.values[column * depth + k] : b.values[k * columns + column]
                    return sum + Double(left) * Double(right)
                }
            }
        }
    }
}
