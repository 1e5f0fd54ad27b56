internal import CKernels
internal import Compute

/// Rounds a matrix column after column; what rounding loses, the columns to come take over (GPTQ, Frantar et al., 2022).
struct CompensationSweep {
    let factor: InverseFactor
    var rate: CodeRate?
    let pool: ThreadPool

    /// Columns that one call of the kernel rounds.
    private static let run = 32
    /// Columns whose errors reach the rest of the matrix together.
    private static let block = 128

    /// Rounds `weights`. Whenever `unit` columns begin, `fit` gets them as they are by then and returns them quantized: its
    /// codes are replaced, everything else stays. Returns the units in order.
    func quantize(
        _ weights: Matrix, unit: Int,
        fit: (_ columns: Range<Int>, _ weights: Matrix) throws(QuantizationError)
            -> QuantizedMatrix
    ) throws(QuantizationError) -> [QuantizedMatrix] {
        let columns = ColumnWeights(weights, pool: pool)
        let block = unit < weights.columns ? max(Self.block / unit * unit, unit) : Self.block
        let errors = ColumnWeights(rows: weights.rows, columns: block)
        var units: [QuantizedMatrix] = []
        var parameters: RoundingParameters?
        for first in stride(from: 0, to: weights.columns, by: block) {
            let end = min(first + block, weights.columns)
            var next = first
            while next < end {
                if next % unit == 0 {
                    let range = next..<min(next + unit, weights.columns)
                    let fitted = try fit(range, columns.matrix(range, pool: pool))
                    parameters = RoundingParameters(fitted, rate: rate)
                    units.append(fitted)
                }
                let run = next..<min(next + Self.run, end, (next / unit + 1) * unit)
                if let parameters {
                    round(
                        columns, run, parameters, place: run.lowerBound % unit, errors: errors, first: first,
                        into: &units[units.count - 1].codes, stride: units[units.count - 1].columns)
                }
                columns.add(errors, of: run, first: first, through: factor.upper, to: run.upperBound..<end, pool: pool)
                next = run.upperBound
            }
            columns.add(
                errors, of: first..<end, first: first, through: factor.upper, to: end..<weights.columns, pool: pool)
        }
        return units
    }

    /// `weights` rounded with everything but the codes of `start`.
    func quantize(_ weights: Matrix, keeping start: QuantizedMatrix) throws(QuantizationError) -> QuantizedMatrix {
        var result = start
        let units = try quantize(weights, unit: weights.columns) { _, _ throws(QuantizationError) in start }
        result.codes = units[0].codes
        return result
    }

    /// Rounds the columns `run`, which begin at `place` of their unit.
    private func round(
        _ columns: ColumnWeights, _ run: Range<Int>, _ parameters: RoundingParameters, place: Int,
        errors: ColumnWeights, first: Int, into codes: inout [UInt8], stride: Int
    ) {
        let upper = factor.upper
        let set = pool.instructionSet.cValue
        codes.withUnsafeMutableBufferPointer { codes in
            upper.values.withUnsafeBufferPointer { factor in
                guard let codes = codes.baseAddress, let factor = factor.baseAddress else { return }
                let kernelRun = fettle_compensation(
                    first: place, columns: run.count, stride: columns.stride,
                    factor: factor + run.lowerBound * upper.columns + run.lowerBound, factor_stride: upper.columns,
                    code_stride: stride)
                pool.forEach(columns.stride / 16) { (block: Int) in
                    let row = 16 * block
                    withUnsafePointer(to: kernelRun) { kernelRun in
                        parameters.withRounding(row: row) { rounding in
                            fettle_compensate(
                                set, rounding, kernelRun, Int32(min(16, columns.rows - row)),
                                columns.pointer(column: run.lowerBound, row: row),
                                errors.pointer(column: run.lowerBound - first, row: row), codes + row * stride + place)
                        }
                    }
                }
            }
        }
    }
}
