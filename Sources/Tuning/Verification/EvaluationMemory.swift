internal import Compute
internal import ModelFiles
internal import Reference

/// What the source's last layer says on chunks of text, in the store: a pass over them less for the next profile.
package struct EvaluationMemory: Sendable {
    let store: ScoreStore
    let model: Model

    /// The states of `chunk` at positions `rows`; where they are not there `reference` is run, and they are kept.
    func states(_ chunk: [Int32], _ rows: Range<Int>, of reference: ReferenceModel) throws -> Matrix {
        let columns = reference.configuration.width
        let known: [Float]? = try store.vector(Self.name(rows), in: context(chunk))
        if let known, known.count == rows.count * columns {
            return Matrix(rows: rows.count, columns: columns, values: known)
        }
        let states = try reference.hidden(tokens: chunk, rows: rows)
        try store.put([Self.name(rows): states.values], in: context(chunk))
        return states
    }

    private func context(_ chunk: [Int32]) -> String {
        ScoreContext.sourceKey(model: model, chunk: TokenSequences(source: "", sequences: [chunk]))
    }

    private static func name(_ rows: Range<Int>) -> String { "hidden \(rows.lowerBound) to \(rows.upperBound)" }
}
