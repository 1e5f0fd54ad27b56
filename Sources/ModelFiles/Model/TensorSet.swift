/// The tensors of a source file under their canonical names, held against what a configuration asks for.
struct TensorSet {
    private(set) var tensors: [String: ModelTensor] = [:]
    private let configuration: ModelConfiguration

    /// No tensors yet, of a model that has `configuration`.
    init(of configuration: ModelConfiguration) {
        self.configuration = configuration
    }

    /// Adds a tensor whose checked bytes are in `file`; `fileName` is its name there.
    ///
    /// - Throws: `unsupported` where the model has no such tensor; `malformed` where its shape is another.
    mutating func add(
        _ name: String, fileName: String, rows: Int, columns: Int, type: TensorType, bytes: MappedBytes,
        rowOrder: [Int]? = nil, file: String
    ) throws(ModelError) {
        guard let shape = TensorName.shape(of: name, in: configuration),
            name != TensorName.head || !configuration.tiedEmbedding
        else {
            throw ModelError(
                .unsupported, file: file, place: "tensor \(fileName)",
                "is not part of a plain \(configuration.architecture.rawValue) decoder of \(configuration.layers) "
                    + "layers; its effect would be lost")
        }
        guard shape == (rows, columns) else {
            throw ModelError(
                .malformed, file: file, place: "tensor \(fileName)",
                "is \(rows) x \(columns), but the configuration asks for \(shape.rows) x \(shape.columns); fetch files of "
                    + "one model")
        }
        tensors[name] = ModelTensor(
            name: name, rows: rows, columns: columns, type: type, bytes: bytes, rowOrder: rowOrder)
    }

    /// The tensors, none of which is missing from the model at `path`.
    func complete(path: String) throws(ModelError) -> [String: ModelTensor] {
        for name in TensorName.all(of: configuration) where tensors[name] == nil {
            throw ModelError(.malformed, file: path, place: "tensor \(name)", "is missing; fetch the whole model again")
        }
        return tensors
    }
}

extension [String: ModelTensor] {
    /// The storage type that holds most bytes; among equals, the one of the lower number.
    var dominantType: TensorType {
        var bytes: [TensorType: Int] = [:]
        for tensor in values { bytes[tensor.type, default: 0] += tensor.bytes.count }
        return TensorType.allCases.max { bytes[$0, default: 0] < bytes[$1, default: 0] } ?? .f32
    }
}
