internal import CKernels
package import Compute

/// Quantizes matrices to GGUF's block types with the least weighted error that a search over scales finds.
package enum BlockQuantizer {
    /// `weights` as blocks of `format`, minimising sum_j importance_j (w_j - decoded_j)^2 with every scale rounded as
    /// the file stores it.
    ///
    /// `importance` has one non-negative number for each column, the second moment E[x_j^2] of the matrix's input:
    /// the sum is then the expected squared error of the output where inputs are uncorrelated. Nil weighs all columns
    /// alike; where all importances of a block are 0, its columns count alike too. The same bytes at any thread count
    /// and on any instruction set. Throws where rows are not whole blocks, or a weight or importance is not a usable
    /// number.
    package static func quantize(
        _ weights: Matrix, as format: BlockFormat, importance: [Float]? = nil, pool: ThreadPool
    ) throws(QuantizationError) -> BlockMatrix {
        guard weights.rows > 0, format.isLegal(columns: weights.columns) else {
            throw QuantizationError(
                .illegalShape, place: "\(format.rawValue) matrix of \(weights.rows) x \(weights.columns)",
                "rows must be a multiple of \(format.blockLength) long; choose another format")
        }
        try weights.checkHalfPrecision()
        let normalized = try normalize(importance, columns: weights.columns)
        let blockBytes = format.blockBytes
        var bytes = [UInt8](repeating: 0, count: weights.values.count / format.blockLength * blockBytes)
        weights.values.withUnsafeBufferPointer { source in
            normalized.withUnsafeBufferPointer { importance in
                bytes.withUnsafeMutableBufferPointer { target in
                    let tiles = (source.count + BlockTile.length - 1) / BlockTile.length
                    let stripes = (tiles + tilesPerStripe - 1) / tilesPerStripe
                    pool.forEach(stripes) { stripe in
                        let tile = BlockTile(format, pool.instructionSet)
                        for index in stripe * tilesPerStripe..<min((stripe + 1) * tilesPerStripe, tiles) {
                            tile.fit(source, importance, first: index * BlockTile.length)
                            tile.write(into: target, first: index * BlockTile.length)
                        }
                    }
                }
            }
        }
        return try BlockMatrix(format: format, rows: weights.rows, columns: weights.columns, bytes: bytes)
    }

    /// Enough work for one turn of a thread that handing it out costs nothing.
    private static let tilesPerStripe = 32

    /// Importances divided by the largest, and at least 2^-60: small enough to weigh nothing beside any other, large
    /// enough for a block of nothing else to be fitted.
    private static func normalize(_ importance: [Float]?, columns: Int) throws(QuantizationError) -> [Float] {
        guard let importance else { return [Float](repeating: 1, count: columns) }
        guard importance.count == columns else {
            throw QuantizationError(
                .malformed, place: "importance",
                "has \(importance.count) numbers, but the matrix has \(columns) columns")
        }
        if let index = importance.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw QuantizationError(
                .unusableValue, place: "importance of column \(index)",
                "\(importance[index]) is not a finite number of at least 0; calibrate again")
        }
        let largest = Double(importance.max() ?? 0)
        guard largest > 0 else { return [Float](repeating: 1, count: columns) }
        return importance.map { max(Float(Double($0) / largest), 0x1p-60) }
    }
}
