internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization

/// Turns one source tensor into the bytes of a choice: the only way from weights to what is scored and what ships.
struct MatrixQuantizer {
    let model: Model
    let pool: ThreadPool

    /// The tensor's weights in float32.
    func weights(_ name: String) throws -> Matrix { try model.tensor(name).matrix() }

    /// `tensor` as `choice` stores it. Blocks are the source's own bytes where it has that type already.
    func quantize(
        _ tensor: ChoiceGroup.Tensor, weights: Matrix, as choice: Choice, importance: TensorImportance
    ) throws -> PlannedWeights.Stored {
        switch choice.format {
        case .float16:
            return .packed(try PackedMatrix(float16: weights, pool: pool))
        case .grid(let format):
            let quantized = try GridQuantizer.quantize(
                weights, as: format, importance: importance.columns, rowImportance: importance.rows,
                clip: choice.refinement.contains(Refinement.clip.rawValue), pool: pool)
            return .packed(try PackedMatrix(packing: quantized, pool: pool))
        case .block(let format):
            let source = try model.tensor(tensor.name)
            if source.isStored(as: format) {
                return .block(
                    try BlockMatrix(format: format, rows: tensor.rows, columns: tensor.columns, bytes: source.rowBytes))
            }
            return .block(
                try BlockQuantizer.quantize(weights, as: format, importance: importance.columns, pool: pool))
        }
    }

    /// `weights`, those of a tensor or rows of it, in `format`, so that `compensation`'s inputs make outputs that come nearest.
    func compensate(
        _ weights: Matrix, as format: Format, _ compensation: ErrorCompensation, importance: TensorImportance
    ) throws -> PlannedWeights.Stored {
        switch format {
        case .float16: return .packed(try PackedMatrix(float16: weights, pool: pool))
        case .grid(let format):
            let quantized = try compensation.quantize(weights, as: format, rowImportance: importance.rows)
            return .packed(try PackedMatrix(packing: quantized, pool: pool))
        case .block(let format): return .block(try compensation.quantize(weights, as: format))
        }
    }

    /// `stored` as the runtime multiplies it with inputs for which calibration found `frozenScale`.
    func executable(
        _ stored: PlannedWeights.Stored, activation: Activation, frozenScale: Float?
    ) throws -> RuntimeMatrix {
        switch stored {
        case .packed(let packed):
            return try RuntimeMatrix(packed: packed, activation: activation, frozenScale: frozenScale)
        case .block(let block):
            return try RuntimeMatrix(
                packed: try PackedMatrix(packing: block.decomposed(pool: pool), pool: pool), activation: activation)
        }
    }
}

extension ModelTensor {
    /// Whether the tensor's own bytes are what `format` makes of it.
    func isStored(as format: BlockFormat) -> Bool { type == format.tensorType && scaling == nil }

    /// The tensor's bytes, rows in canonical order.
    var rowBytes: [UInt8] {
        let stride = type.bytes(columns: columns)
        return bytes.withUnsafeBytes { all in
            guard let rowOrder else { return Array(all) }
            return rowOrder.flatMap { all[$0 * stride..<($0 + 1) * stride] }
        }
    }
}

extension PlannedWeights.Stored {
    /// The weights that the stored bytes stand for.
    func dequantized(pool: ThreadPool) -> Matrix {
        switch self {
        case .packed(let packed): packed.dequantized(pool: pool)
        case .block(let block): block.decomposed(pool: pool).dequantized(pool: pool)
        }
    }
}
