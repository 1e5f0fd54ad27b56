import Compute
import Testing

@Suite struct MatrixTests {
    @Test func isRowMajor() {
        let matrix = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
        #expect(Array(matrix[row: 0]) == [1, 2, 3])
        #expect(Array(matrix[row: 1]) == [4, 5, 6])
        #expect(Matrix(rows: 2, columns: 3).values == [0, 0, 0, 0, 0, 0])
    }

    @Test func refusesAWrongNumberOfValues() async {
        await #expect(processExitsWith: .failure) { _ = Matrix(rows: 2, columns: 2, values: [1, 2, 3]) }
    }
}
