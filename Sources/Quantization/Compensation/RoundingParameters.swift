internal import CKernels

/// What codes of different lengths cost beside their errors.
struct CodeRate {
    /// For each code, in units of the error (weight / scale - point)^2 of a column of importance 1.
    var lengths: [Float]
    /// Of each column.
    var importance: [Float]
}

/// The scales and what else turns codes into weights, of some columns of a matrix, as the compensating kernel takes them.
struct RoundingParameters {
    /// [row][slot]
    let scales: [Float]
    /// Likewise; none where they are 0.
    let minimums: [Float]
    private let zeroPoints: [UInt8]
    private let tables: [(nearest: [UInt8], points: [Int8])]
    private let lowest: Int
    private let highest: Int
    private let offset: Int
    private let zeroUnit: Float
    private let rate: CodeRate?
    /// Scales of a row.
    let slots: Int
    private let group: Int

    /// The parameters of `matrix`; with a `rate`, codes are chosen by their lengths too.
    init(_ matrix: QuantizedMatrix, rate: CodeRate? = nil) {
        self.rate = rate
        slots = matrix.columns / matrix.group
        group = matrix.group
        let count = matrix.rows * slots
        let given: [Float] =
            switch matrix.scales {
            case .float16(let bits): bits.map { Float(Float16(bitPattern: $0)) }
            case .float32(let numbers): numbers
            }
        scales = given.count == 1 ? [Float](repeating: given[0], count: count) : given
        switch matrix.offsets {
        case .constant(let value): (offset, zeroPoints, minimums) = (value, [], [])
        case .zeroPoints(let points): (offset, zeroPoints, minimums) = (0, points, [])
        case .minimums(let values): (offset, zeroPoints, minimums) = (0, [], values)
        }
        // Code 0 of 8 bits stands for -128, which kernels that multiply absolute values cannot take.
        lowest = matrix.bits == 8 && matrix.codebooks.isEmpty && zeroPoints.isEmpty ? 1 : 0
        highest = 1 << matrix.bits - 1
        zeroUnit = matrix.zeroUnit
        let entries = 1 << matrix.bits
        tables = stride(from: 0, to: matrix.codebooks.count, by: entries).map { first in
            let points = Array(matrix.codebooks[first..<first + entries])
            return (PointTable(points: points).nearestCodes(), points)
        }
    }

    /// Calls `body` with the parameters of the rows from `row` on, a multiple of 16.
    func withRounding(row: Int, _ body: (UnsafePointer<fettle_rounding>) -> Void) {
        let start = row * slots
        let table = tables.isEmpty ? ([], []) : tables[tables.count == 1 ? 0 : row / 16]
        scales.withUnsafeBufferPointer { scales in
            minimums.withUnsafeBufferPointer { minimums in
                zeroPoints.withUnsafeBufferPointer { zeroPoints in
                    table.0.withUnsafeBufferPointer { nearest in
                        table.1.withUnsafeBufferPointer { points in
                            guard let scales = scales.baseAddress else { return }
                            var rounding = fettle_rounding(
                                lowest: Int32(lowest), highest: Int32(highest), offset: Int32(offset), slots: slots,
                                group: group, scales: scales + start,
                                minimums: minimums.isEmpty ? nil : minimums.baseAddress.map { $0 + start },
                                zero_points: zeroPoints.isEmpty ? nil : zeroPoints.baseAddress.map { $0 + start },
                                zero_unit: zeroUnit,
                                nearest_codes: nearest.isEmpty ? nil : nearest.baseAddress,
                                points: points.isEmpty ? nil : points.baseAddress, lengths: nil, importance: nil)
                            guard let rate else { return body(&rounding) }
                            rate.lengths.withUnsafeBufferPointer { lengths in
                                rate.importance.withUnsafeBufferPointer { importance in
                                    rounding.lengths = lengths.baseAddress
                                    rounding.importance = importance.baseAddress
                                    body(&rounding)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
