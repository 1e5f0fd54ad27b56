internal import CKernels
package import Compute

/// Draws tokens from softmax(logits / temperature), each row with a generator of its own.
package struct TokenSampler: Sendable {
    private var generators: [SeededGenerator]
    private let scale: Float
    private let pool: ThreadPool

    /// A sampler for `rows` rows. Row r's sequence of draws depends on `seed` and r alone.
    package init(rows: Int, seed: UInt64, temperature: Float = 1, pool: ThreadPool) {
        precondition(temperature > 0, "a sampler needs a positive temperature")
        generators = (0..<rows).map { TokenSampler.generator(seed: seed, row: $0) }
        scale = 1 / temperature
        self.pool = pool
    }

    /// One token for each row of `logits`, which has as many rows as the sampler.
    package mutating func sample(_ logits: Matrix) -> [Int32] {
        precondition(logits.rows == generators.count, "a sampler needs a row of logits for each of its generators")
        let units = generators.indices.map { generators[$0].unit() }
        return pool.sample(logits, scale: scale, units: units)
    }

    /// The generator of row `row` under `seed`.
    static func generator(seed: UInt64, row: Int) -> SeededGenerator {
        var first = SeededGenerator(seed: seed)
        return SeededGenerator(seed: first.next() ^ UInt64(row) &* 0x9E37_79B9_7F4A_7C15)
    }
}

extension ThreadPool {
    /// One index for each row, drawn from softmax(scale * row) at `units[row]` in 0..<1.
    func sample(_ logits: Matrix, scale: Float, units: [Double]) -> [Int32] {
        var tokens = [Int32](repeating: 0, count: logits.rows)
        let columns = logits.columns
        logits.withPointer { source in
            tokens.withUnsafeMutableBufferPointer { target in
                forEach(logits.rows) { (row: Int) in
                    target[row] = Int32(
                        fettle_sample(instructionSet.cValue, source + row * columns, columns, scale, units[row]))
                }
            }
        }
        return tokens
    }
}
