internal import Compute
internal import ModelFiles
internal import Quantization

/// Which formats hold an already quantized source exactly.
struct LosslessFormats {
    let model: Model
    let pool: ThreadPool

    /// Rows that are tried of each matrix: scales belong to rows, so that a few rows tell.
    private static let rows = 16

    /// The names of the formats of `catalog` that change no weight, for instance `q4_1`, or `q4_1 (210 of 211 matrices)` where
    /// the source mixes types; none for a float source.
    func names(among catalog: ChoiceCatalog) throws -> [String] {
        guard model.isQuantized else { return [] }
        var formats: [Format] = []
        for choice in catalog.groups.flatMap(\.choices) where !formats.contains(choice.format) {
            formats.append(choice.format)
        }
        let tensors = try catalog.groups.flatMap(\.tensors).map { try model.tensor($0.name) }
        return try formats.compactMap { format in
            let exact = try tensors.filter { try isLossless(format, $0) }.count
            guard exact > 0 else { return nil }
            return exact == tensors.count ? "\(format)" : "\(format) (\(exact) of \(tensors.count) matrices)"
        }
    }

    private func isLossless(_ format: Format, _ tensor: ModelTensor) throws -> Bool {
        if case .block(let block) = format, tensor.isStored(as: block) {
            return true
        }
        let count = min(Self.rows, tensor.rows)
        guard format.isLegal(rows: count, columns: tensor.columns), format != .float16 else { return false }
        var values = [Float](repeating: 0, count: count * tensor.columns)
        values.withUnsafeMutableBufferPointer { buffer in
            for row in 0..<count {
                tensor.read(
                    row: row,
                    into: UnsafeMutableBufferPointer(
                        rebasing: buffer[row * tensor.columns..<(row + 1) * tensor.columns]))
            }
        }
        let weights = Matrix(rows: count, columns: tensor.columns, values: values)
        switch format {
        case .float16: return false
        case .grid(let grid):
            return try GridQuantizer.quantize(weights, as: grid, clip: true, pool: pool).dequantized() == weights
        case .block(let block):
            return try BlockQuantizer.quantize(weights, as: block, pool: pool).dequantized() == weights
        }
    }
}
