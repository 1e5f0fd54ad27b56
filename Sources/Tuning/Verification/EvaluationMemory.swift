internal import Compute
internal import ModelFiles

/// What the source's last layer says on chunks of text, in the store: a pass over them less for the next profile.
package struct EvaluationMemory: Sendable {
    let store: ScoreStore
    let model: Model

    /// The states of `chunk` at positions `rows`, nil where they are not there.
    func states(_ chunk: [Int32], _ rows: Range<Int>, columns: Int) throws -> Matrix? {
        let numbers: [Float]? = try store.vector(Self.name(rows), in: context(chunk))
        guard let numbers, numbers.count == rows.count * columns else { return nil }
        return Matrix(rows: rows.count, columns: columns, values: numbers)
    }

    /// Keeps the states of `chunk` at positions `rows`.
    func keep(_ states: Matrix, _ chunk: [Int32], _ rows: Range<Int>) throws {
        try store.put([Self.name(rows): states.values], in: context(chunk))
    }

    private func context(_ chunk: [Int32]) -> String {
        ScoreContext.sourceKey(model: model, chunk: TokenSequences(source: "", sequences: [chunk]))
    }

    private static func name(_ rows: Range<Int>) -> String { "hidden \(rows.lowerBound) to \(rows.upperBound)" }
}
