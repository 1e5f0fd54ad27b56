package import Compute

/// Moves weights W, whose inputs X' come from quantized layers, to where their output comes nearest to what it should be, before
/// they are quantized themselves: W + strength (T - W X') X'^T H^-1, the damped regression of what is missing on the inputs
/// (QEP, Arai and Ichikawa, 2025; GPTAQ, Li et al., 2025). Matrices of activations are positions x inputs or outputs.
package struct OutputCorrection {
    /// What is missing times the inputs.
    private enum Missing {
        /// (X - X') X'^T H^-1, inputs x inputs.
        case inputs(Matrix)
        /// T X'^T, outputs x inputs.
        case outputs(Matrix)
    }

    private let missing: Missing
    private let factor: InverseFactor
    private let pool: ThreadPool

    /// Of the way to the regression's solution: all of it would fit the calibration's noise too.
    private static let strength: Float = 0.5

    /// A correction of all weights that get `inputs`, whose factor is `factor`, where the source's get `source`: T = W X.
    package init(inputs: Matrix, source: Matrix, factor: InverseFactor, pool: ThreadPool) {
        self.factor = factor
        self.pool = pool
        let cross = pool.product(source.minus(inputs), inputs, .transposedLeft)
        missing = .inputs(factor.solved(cross, pool: pool))
    }

    /// A correction of the weights that should make `outputs`, T, of `inputs`, whose factor is `factor`.
    package init(inputs: Matrix, outputs: Matrix, factor: InverseFactor, pool: ThreadPool) {
        self.factor = factor
        self.pool = pool
        missing = .outputs(pool.product(outputs, inputs, .transposedLeft))
    }

    /// `weights`, outputs x inputs, corrected.
    package func corrected(_ weights: Matrix) -> Matrix {
        let change: Matrix
        switch missing {
        case .inputs(let solved): change = pool.product(weights, solved, .plain)
        case .outputs(let wanted):
            // The damping draws towards the weights as they are, not towards 0.
            var lean = wanted.minus(pool.product(weights, factor.moments, .plain))
            for index in lean.values.indices { lean.values[index] += factor.damping * weights.values[index] }
            change = factor.solved(lean, pool: pool)
        }
        var result = weights
        for index in result.values.indices { result.values[index] += Self.strength * change.values[index] }
        return result
    }
}
