internal import Compute

/// What a choice for the embedding costs as a look-up: the true-Fisher score with d_t, the error of the row that token t reads.
struct EmbeddingScorer {
    /// Distinct tokens of the calibration, ascending.
    private let distinct: [Int]
    /// For each position, the index of its token among the distinct ones.
    private let positions: [Int]
    private let exact: Matrix

    /// A scorer for the tokens at the sweep's positions and the embedding's weights.
    init(tokens: [Int32], embedding: Matrix) {
        distinct = Set(tokens).map(Int.init).sorted()
        let index = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
        positions = tokens.map { index[Int($0)] ?? 0 }
        exact = Self.rows(distinct, of: embedding)
    }

    /// The sensitivity of look-ups in `stored`; `gradients` is dL/d(embedding output), positions x width.
    func sensitivity(of stored: PlannedWeights.Stored, gradients: Matrix, pool: ThreadPool) -> Double {
        let rows = Self.rows(distinct, of: stored.dequantized(pool: pool))
        var projections = [Double](repeating: 0, count: positions.count)
        OutputErrors(gradients: gradients, pool: pool).project(
            Self.rows(positions, of: rows), minus: Self.rows(positions, of: exact), first: 0, into: &projections)
        return OutputErrors.sensitivity(projections)
    }

    private static func rows(_ indices: [Int], of matrix: Matrix) -> Matrix {
        Matrix(rows: indices.count, columns: matrix.columns, values: indices.flatMap { matrix[row: $0] })
    }
}
