internal import Compute

/// What a choice for the embedding costs as a look-up: the true-Fisher score with d_t, the error of the row that token t reads.
struct EmbeddingScorer {
    /// Distinct tokens of the calibration, ascending.
    private let distinct: [Int]
    /// For each position, the index of its token among the distinct ones.
    private let positions: [Int]
    private let exact: Matrix
    /// Quantized rows of the distinct tokens, by choice.
    private var quantized: [Choice: Matrix] = [:]

    /// A scorer for the tokens at the sweep's positions and the embedding's weights.
    init(tokens: [Int32], embedding: Matrix) {
        distinct = Set(tokens).map(Int.init).sorted()
        let index = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
        positions = tokens.map { index[Int($0)] ?? 0 }
        exact = Self.rows(distinct, of: embedding)
    }

    /// Keeps the rows that look-ups with these choices, which share `stored`, would read.
    mutating func keep(_ stored: PlannedWeights.Stored, for choices: [Choice], pool: ThreadPool) {
        let rows = Self.rows(distinct, of: stored.dequantized(pool: pool))
        for choice in choices { quantized[choice] = rows }
    }

    /// The choices whose rows are kept.
    var choices: Set<Choice> { Set(quantized.keys) }

    /// Lets go of all rows that were kept.
    mutating func forget() { quantized = [:] }

    /// The sensitivity of each choice whose rows were kept; `gradients` is dL/d(embedding output), positions x width.
    func sensitivities(gradients: Matrix, pool: ThreadPool) -> [Choice: Double] {
        let errors = OutputErrors(gradients: gradients, pool: pool)
        let exact = Self.rows(positions, of: exact)
        return quantized.mapValues { rows in
            var projections = [Double](repeating: 0, count: positions.count)
            errors.project(Self.rows(positions, of: rows), minus: exact, first: 0, into: &projections)
            return OutputErrors.sensitivity(projections)
        }
    }

    private static func rows(_ indices: [Int], of matrix: Matrix) -> Matrix {
        Matrix(rows: indices.count, columns: matrix.columns, values: indices.flatMap { matrix[row: $0] })
    }
}
