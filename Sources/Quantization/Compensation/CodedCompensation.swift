internal import Compute

/// Compensation where indices are entropy-coded: each code is chosen by error and length, and scales and lambda are those at which the
/// indices just fit their bytes.
struct CodedCompensation {
    let factor: InverseFactor
    let pool: ThreadPool
    /// Bytes that there are for the indices.
    let room: Int

    /// Sweeps at most, and the share of the room that is not worth another one.
    private static let attempts = 3
    private static let slack = 0.005

    /// `weights` with the points of `start`, whose indices fit into the room, and its scales, all of them multiplied by one factor;
    /// `start` where nothing else fits.
    func quantize(_ weights: Matrix, from start: QuantizedMatrix) throws(QuantizationError) -> QuantizedMatrix {
        var matrix = start
        var best: (matrix: QuantizedMatrix, lengths: [Float], left: Int)?
        let importance = CodeImportance(factor)
        var lambda = importance.lambda(of: start, weights, pool)
        for _ in 0..<Self.attempts {
            let lengths = matrix.codes.codeLengths(of: 1 << start.bits).map { Float(lambda * $0) }
            matrix = try compensated(weights, from: matrix, lengths, importance)
            let fit = CodeFit(counts: matrix.codes.counts, room: room)
            let isFitting = fit.takes(matrix.codes)
            if isFitting, fit.left < best?.left ?? .max { best = (matrix, lengths, fit.left) }
            if isFitting, Double(fit.left) <= Self.slack * Double(room) { break }
            // Twice the scale, and four times lambda, take a bit less for each index. Half of the slack is aimed for.
            let excess = 8 * (Self.slack / 2 * Double(room) - Double(fit.left)) / Double(matrix.codes.count)
            let factor = CodeFit.pace(excess: excess)
            lambda *= factor * factor
            if case .float16(let scales) = matrix.scales { matrix.scales = .float16(scales.scaled(by: Float(factor))) }
        }
        guard var best else { return start }
        let lengths = best.lengths
        try OutlierRows(factor: factor, pool: pool).improve(&best.matrix, weights: weights) {
            weights, start throws(QuantizationError) in
            try compensated(weights, from: start, lengths, importance)
        } accepts: {
            CodeFit(counts: $0.codes.counts, room: room).takes($0.codes)
        }
        return best.matrix
    }

    /// Compensated and descended with codes of such lengths, from the scales and points of `start`.
    private func compensated(
        _ weights: Matrix, from start: QuantizedMatrix, _ lengths: [Float], _ importance: CodeImportance
    ) throws(QuantizationError) -> QuantizedMatrix {
        let sweep = CompensationSweep(
            factor: factor, rate: CodeRate(lengths: lengths, importance: importance.ofSweep), pool: pool)
        var result = try sweep.quantize(weights, keeping: start)
        CodeDescent(
            factor: factor, rate: CodeRate(lengths: lengths, importance: importance.ofDescent), pool: pool
        ).improve(&result, weights: weights)
        return result
    }
}

/// What the error of a column counts beside the lengths of its codes: of mean 1 in the sweep, where later columns take over what they can
/// of it, and in the same measure where they do no longer.
private struct CodeImportance {
    let ofSweep: [Float]
    let ofDescent: [Float]

    init(_ factor: InverseFactor) {
        let final = factor.importance
        let mean = Float(final.reduce(0.0) { $0 + Double($1) } / Double(max(1, final.count)))
        let floor = Float(SharedFit.floor)
        func share(_ value: Float) -> Float { floor + (1 - floor) * (mean > 0 ? value / mean : 1) }
        ofSweep = final.map(share)
        ofDescent = final.indices.map { share(factor.moments.values[$0 * final.count + $0]) }
    }

    /// The price of a bit at which that of `matrix` neither gains nor loses: an error falls by four for each bit.
    func lambda(of matrix: QuantizedMatrix, _ weights: Matrix, _ pool: ThreadPool) -> Double {
        let errors = weights.minus(matrix.dequantized(pool: pool))
        let slots = weights.columns / matrix.group
        let parameters = RoundingParameters(matrix)
        var sum = 0.0
        for row in 0..<weights.rows {
            for column in 0..<weights.columns {
                let scale = parameters.scales[row * slots + column / matrix.group]
                let error = scale == 0 ? 0 : errors.values[row * weights.columns + column] / scale
                sum += Double(ofSweep[column] * error * error)
            }
        }
        return 2 * 0.693 * sum / Double(max(1, weights.values.count))
    }
}

extension [UInt8] {
    /// The bits that each of `count` codes takes in the long run; of one that does not occur, more than any other.
    fileprivate func codeLengths(of count: Int) -> [Double] {
        let counts = counts
        return (0..<count).map { counts[$0] == 0 ? 1e9 : (Double(self.count) / Double(counts[$0])).binaryLogarithm }
    }
}
