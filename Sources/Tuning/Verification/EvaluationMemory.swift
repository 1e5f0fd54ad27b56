internal import Compute

/// What the source's last layer says on a text, in the store: a pass over the text less for the next profile.
package struct EvaluationMemory: Sendable {
    let store: ScoreStore
    /// The key of model and text.
    let context: String

    /// The states of chunk `place`, nil where they are not there.
    func states(_ place: Int, rows: Int, columns: Int) throws -> Matrix? {
        let numbers: [Float]? = try store.vector("hidden \(place)", in: context)
        guard let numbers, numbers.count == rows * columns else { return nil }
        return Matrix(rows: rows, columns: columns, values: numbers)
    }

    /// Keeps the states of chunk `place`.
    func keep(_ states: Matrix, _ place: Int) throws {
        try store.put(["hidden \(place)": states.values], in: context)
    }
}
