internal import CKernels
internal import Compute

/// The fit of a codebook whose indices are entropy-coded: the least error + lambda * code length, with the scales and the lambda at
/// which the indices just fit their bytes. Codebook, code lengths, scales and indices are found in turn (Chou, Lookabaugh and Gray,
/// 1989), from the exact solution for the histogram of a sample, on that sample first and then on all rows; each weight counts by its
/// column's importance, so that what matters less takes shorter codes.
struct SharedFit {
    let format: GridFormat
    let problem: FitProblem
    let clip: Bool

    /// Of the mean importance, added to each column's share of the rest: what the calibration never saw still keeps most of its bits.
    static let floor = 0.1
    /// Root mean squares of a row up to the outermost point, where the search for the best factor begins.
    private static let reach = 4.0
    /// Of their plain bits, what indices may take where plain ones may fit: in rows with scales of their own they nearly fill their bits,
    /// with one scale for all they may take any.
    private static let plainShare = 0.9

    func quantized() -> QuantizedMatrix {
        guard let room = CodedLayout(format, rows: problem.rows, columns: problem.columns)?.indexBytes else {
            return TableFit(format: format, problem: problem, clip: clip).quantized()
        }
        let count = Double(problem.rows * problem.columns)
        // What is left for words, with a code of as many symbols as there may be.
        let head = 2 * (1 << min(format.bits, 6)) + 2 + 4 * IndexCode.lanes + 2 * IndexCode.lanes
        let rate = max(0.01, Double(8 * (room - head)) / count)
        let isTensor = format.granularity == .tensor
        if isTensor || rate >= Self.plainShare * Double(format.bits) {
            var plain = TableFit(format: format.resident, problem: problem, clip: clip).quantized()
            plain.format = .grid(format)
            if CodeFit(counts: plain.codes.counts, room: room).takes(plain.codes) { return plain }
        }
        let group = format.group(columns: problem.columns)
        let limit = 1 << format.bits
        let scales = scales(group: group, isTensor: isTensor)
        // The factor of all rows: those of a sample do not tell which others would be cut off.
        var stage = SharedStage(
            problem: weighted(scales, group: group), scales: scales, group: group, isTensor: isTensor)
        stage = stage.scaled(by: stage.bestFactor(rate: rate, limit: limit))
        let fitted = stage.fitted(rate: rate, limit: limit, room: room)
        let unused = limit - fitted.points.count
        return QuantizedMatrix(
            format: .grid(format), rows: problem.rows, columns: problem.columns, bits: format.bits, group: group,
            codes: fitted.codes, scales: .float16(isTensor ? [fitted.scales[0]] : fitted.scales), offsets: .constant(0),
            codebooks: fitted.points + [Int8](repeating: fitted.points.last ?? 0, count: unused))
    }

    /// Scales to start from, for each row and group (the same where the matrix has but one): what is cut off at 4 bits decides nothing
    /// where rare entries only cost longer codes, so that the root mean square tells what step a row needs.
    private func scales(group: Int, isTensor: Bool) -> [UInt16] {
        let slots = problem.columns / group
        var squares = [Double](repeating: 0, count: problem.rows * slots)
        let values = problem.weights.values
        squares.withUnsafeMutableBufferPointer { squares in
            problem.pool.forEach(problem.rows) { (row: Int) in
                for slot in 0..<slots {
                    var sum = 0.0
                    for column in slot * group..<(slot + 1) * group {
                        let weight = Double(values[row * problem.columns + column])
                        sum += weight * weight
                    }
                    squares[row * slots + slot] = sum / Double(group)
                }
            }
        }
        let mean = squares.reduce(0, +) / Double(max(1, squares.count))
        return squares.map { square in
            let own = isTensor || square == 0 ? mean : square
            let scale = Float16(min(own.squareRoot() * Self.reach / 127, 65504))
            return (scale == 0 ? Float16.leastNonzeroMagnitude : scale).bitPattern
        }
    }

    /// The problem with column importances of mean 1, none of them near 0, and with rows that all count the same, each in the measure of
    /// its own weights: by what calibration says of outputs, rows that hardly ever matter would be rounded away, and SmolLM2, which
    /// needs some of those, with them.
    private func weighted(_ scales: [UInt16], group: Int) -> FitProblem {
        let slots = problem.columns / group
        let rows = (0..<problem.rows).map { row -> Float in
            let sum = scales[row * slots..<(row + 1) * slots].reduce(Float(0)) { sum, bits in
                let scale = Float(Float16(bitPattern: bits))
                return sum + scale * scale
            }
            return sum > 0 ? Float(slots) / sum : 1
        }
        let columns = problem.importance.map { importance in
            let mean = importance.reduce(0.0) { $0 + Double($1) } / Double(importance.count)
            return importance.map { Float(Self.floor + (1 - Self.floor) * Double($0) / mean) }
        }
        return FitProblem(weights: problem.weights, importance: columns, rowImportance: rows, pool: problem.pool)
    }
}
