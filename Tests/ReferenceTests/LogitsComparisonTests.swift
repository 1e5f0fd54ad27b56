import Compute
import Foundation
import Reference
import Testing

@Suite struct LogitsComparisonTests {
    @Test(arguments: [1, 15, 16, 17, 1000, 49152]) func agreesWithDouble(columns: Int) throws {
        var generator = SeededGenerator(seed: UInt64(columns))
        let reference = Matrix.random(rows: 3, columns: columns, scale: 12, using: &generator)
        let noise = Matrix.random(rows: 3, columns: columns, scale: 1, using: &generator)
        let candidate = Matrix(
            rows: 3, columns: columns, values: zip(reference.values, noise.values).map { $0 + $1 })
        let targets = (0..<3).map { _ in Int32(generator.next() % UInt64(columns)) }
        let found = try ThreadPool(threads: 2).compareLogits(
            reference: reference, candidate: candidate, targets: targets)
        for row in 0..<3 {
            let p = logProbabilities(reference[row: row])
            let q = logProbabilities(candidate[row: row])
            let divergence = zip(p, q).reduce(0.0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            // Each weight exp(p) is within 2 ulp, 2.4e-7, of its value; so are sums of weights of one sign.
            #expect(abs(found[row].divergence - divergence) < 5e-7)
            #expect(abs(found[row].referenceLogProbability - p[Int(targets[row])]) < 5e-7)
            #expect(abs(found[row].candidateLogProbability - q[Int(targets[row])]) < 5e-7)
            #expect(Int(found[row].referenceTop) == p.firstIndex(of: p.max() ?? 0))
            #expect(Int(found[row].candidateTop) == q.firstIndex(of: q.max() ?? 0))
        }
    }

    @Test func aModelDoesNotDivergeFromItself() throws {
        var generator = SeededGenerator(seed: 2)
        let logits = Matrix.random(rows: 4, columns: 777, scale: 20, using: &generator)
        let found = try ThreadPool(threads: 1).compareLogits(
            reference: logits, candidate: logits, targets: [0, 1, 2, 3])
        #expect(found.allSatisfy { $0.divergence == 0 })
    }

    @Test func tiesGoToTheLowestToken() throws {
        var values = [Float](repeating: -1, count: 100)
        values[70] = 3
        values[33] = 3
        values[99] = 3
        let row = Matrix(rows: 1, columns: 100, values: values)
        let found = try ThreadPool(threads: 1).compareLogits(reference: row, candidate: row, targets: [0])
        #expect(found[0].referenceTop == 33)
    }

    @Test func shapesAndTargetsAreChecked() {
        let pool = ThreadPool(threads: 1)
        let row = Matrix(rows: 1, columns: 10)
        #expect(throws: ReferenceError.self) {
            try pool.compareLogits(reference: row, candidate: Matrix(rows: 1, columns: 9), targets: [0])
        }
        #expect(throws: ReferenceError.self) { try pool.compareLogits(reference: row, candidate: row, targets: [10]) }
        #expect(throws: ReferenceError.self) { try pool.logProbabilities(of: [], logits: row) }
    }

    private func logProbabilities(_ row: ArraySlice<Float>) -> [Double] {
        let largest = Double(row.max() ?? 0)
        let sum = row.reduce(0.0) { $0 + exp(Double($1) - largest) }
        return row.map { Double($0) - largest - log(sum) }
    }
}
