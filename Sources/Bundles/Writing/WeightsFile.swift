internal import Compute
package import ModelFiles
internal import Quantization
package import Tuning

/// Writes the weights file of a bundle: model.safetensors or model.gguf.
package enum WeightsFile {
    /// Name of the weights file of `layout`.
    package static func name(of layout: WeightsFileLayout) -> String {
        switch layout.container {
        case .safetensors: "model.safetensors"
        case .gguf: "model.gguf"
        }
    }

    /// Writes `weights` in `layout` to `path`; the file appears complete or not at all.
    ///
    /// - Throws: `unwritable`, or `malformed` where a matrix is missing.
    package static func write(
        _ weights: PlannedWeights, layout: WeightsFileLayout, model: Model, to path: String
    ) throws(ModelError) {
        switch layout.container {
        case .safetensors(let tensors, let metadata):
            var writer = try SafetensorsWriter(path: path, metadata: metadata, tensors: tensors)
            for tensor in tensors {
                let data = try bytes(of: tensor.name, weights: weights, model: model, path: path)
                try data.withUnsafeBytes { raw throws(ModelError) in try writer.append(raw) }
            }
            try writer.finish()
        case .gguf(let tensors, let entries):
            var writer = try GGUFWriter(path: path, entries: entries, tensors: tensors)
            for tensor in tensors {
                let data = try ggufBytes(of: tensor.name, weights: weights, model: model, path: path)
                try data.withUnsafeBytes { raw throws(ModelError) in try writer.append(raw) }
            }
            try writer.finish()
        }
    }

    /// Bytes that are somewhere in memory already, or made for the file.
    private enum Piece {
        case packed(PackedMatrix)
        case array([UInt8])
        case floats([Float])

        func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) throws(ModelError) -> Void) throws(ModelError) {
            switch self {
            case .packed(let matrix): try matrix.bytes.withUnsafeBytes(body)
            case .array(let bytes):
                try bytes.withUnsafeBufferPointer { buffer throws(ModelError) in
                    try body(UnsafeRawBufferPointer(buffer))
                }
            case .floats(let floats):
                try floats.withUnsafeBufferPointer { buffer throws(ModelError) in
                    try body(UnsafeRawBufferPointer(buffer))
                }
            }
        }
    }

    private static func bytes(
        of name: String, weights: PlannedWeights, model: Model, path: String
    ) throws(ModelError) -> Piece {
        if let vector = vector(name, weights: weights, model: model) { return .floats(vector) }
        switch weights.matrices[name] {
        case .packed(let matrix):
            guard matrix.format.isCoded else { return .packed(matrix) }
            do throws(QuantizationError) { return .array(try matrix.coded()) } catch {
                throw ModelError(.malformed, file: path, place: name, error.message)
            }
        case .block, nil: throw missing(name, path)
        }
    }

    private static func ggufBytes(
        of name: String, weights: PlannedWeights, model: Model, path: String
    ) throws(ModelError) -> Piece {
        if let vector = vector(name, weights: weights, model: model) { return .floats(vector) }
        switch weights.matrices[name] {
        case .block(let matrix): return .array(matrix.bytes)
        case .packed(let matrix) where matrix.format == .float16: return .array(halves(matrix))
        case .packed, nil: throw missing(name, path)
        }
    }

    /// Row-major half-precision bytes of a packed f16 matrix.
    private static func halves(_ matrix: PackedMatrix) -> [UInt8] {
        matrix.dequantized().values.flatMap { value in
            withUnsafeBytes(of: Float16(value).bitPattern.littleEndian, Array.init)
        }
    }

    private static func vector(_ name: String, weights: PlannedWeights, model: Model) -> [Float]? {
        name == WeightsFileLayout.rotaryDivisors ? model.configuration.rotaryDivisors : weights.norms[name]
    }

    private static func missing(_ name: String, _ path: String) -> ModelError {
        ModelError(
            .malformed, file: path, place: name, "the plan's weights do not hold this tensor in the file's format")
    }
}
