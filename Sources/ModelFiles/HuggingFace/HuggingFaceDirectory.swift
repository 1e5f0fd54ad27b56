internal import Compute
internal import Foundation

/// A Hugging Face directory read as a model: config.json, *.safetensors, tokenizer.json, and where they are there
/// tokenizer_config.json and chat_template.jinja.
struct HuggingFaceDirectory {
    private let path: String
    private let configuration: HuggingFaceConfiguration
    private let shards: SafetensorsShards

    /// Opens the directory at `path` and maps its weights.
    init(path: String) throws(ModelError) {
        self.path = path
        let config = Self.file("config.json", in: path)
        guard FileManager.default.fileExists(atPath: config) else {
            throw ModelError(
                .unreadable, file: path,
                "has no config.json; give a Hugging Face directory or a GGUF file")
        }
        configuration = try HuggingFaceConfiguration(json: try JSON(path: config), file: config)
        shards = try SafetensorsShards(directory: path)
    }

    /// The model in the directory.
    func model() throws(ModelError) -> Model {
        let shape = configuration.model
        let tensors = try tensors()
        // The name of `.` and of a path with a trailing slash is the directory's own.
        let name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        let metadata = HuggingFaceMetadata(name: name, configuration: shape, fileType: tensors.dominantType)
        let vocabulary = try HuggingFaceVocabulary(directory: path, configuration: configuration)
        return Model(
            name: name, path: path, digest: try digest(), configuration: shape, tokenizer: vocabulary.tokenizer,
            fileType: tensors.dominantType.name, tensors: tensors,
            metadata: metadata.entries + vocabulary.entries)
    }

    private static func file(_ name: String, in directory: String) -> String {
        (directory as NSString).appendingPathComponent(name)
    }

    private func tensors() throws(ModelError) -> [String: ModelTensor] {
        let shape = configuration.model
        let count = shards.readers.reduce(0) { $0 + $1.tensors.count }
        guard shape.layers <= count else {
            throw ModelError(
                .malformed, file: path, place: "num_hidden_layers",
                "is \(shape.layers), but there are \(count) tensors; fetch the whole model again")
        }
        let orders: [TensorName.Part: [Int]] = [
            .query: HuggingFaceTensorName.adjacentPairs(heads: shape.heads, headWidth: shape.headWidth),
            .key: HuggingFaceTensorName.adjacentPairs(heads: shape.keyValueHeads, headWidth: shape.headWidth),
        ]
        var set = TensorSet(of: shape)
        for reader in shards.readers {
            for tensor in reader.tensors {
                switch HuggingFaceTensorName.meaning(of: tensor.name, tiedEmbedding: shape.tiedEmbedding) {
                case .redundant: continue
                case .unknown:
                    throw ModelError(
                        .unsupported, file: reader.path, place: "tensor \(tensor.name)",
                        "is not part of a plain llama decoder; its effect would be lost")
                case .tensor(let name, let part):
                    guard set.tensors[name] == nil else {
                        throw ModelError(
                            .malformed, file: reader.path, place: "tensor \(tensor.name)", "is in two shards")
                    }
                    let (rows, columns) = try Self.shape(of: tensor, file: reader.path)
                    try set.add(
                        name, fileName: tensor.name, rows: rows, columns: columns,
                        type: try Self.type(of: tensor, file: reader.path), bytes: tensor.bytes,
                        rowOrder: part.flatMap { orders[$0] }, file: reader.path)
                }
            }
        }
        return try set.complete(path: path)
    }

    private static func shape(
        of tensor: SafetensorsTensor, file: String
    ) throws(ModelError) -> (rows: Int, columns: Int) {
        switch tensor.shape.count {
        case 1: return (1, tensor.shape[0])
        case 2: return (tensor.shape[0], tensor.shape[1])
        default:
            throw ModelError(
                .malformed, file: file, place: "tensor \(tensor.name)",
                "has \(tensor.shape.count) axes; matrices have 2 and norms 1")
        }
    }

    private static func type(of tensor: SafetensorsTensor, file: String) throws(ModelError) -> TensorType {
        switch tensor.type {
        case .f32: return .f32
        case .f16: return .f16
        case .bf16: return .bf16
        case .u8, .i8:
            throw ModelError(
                .unsupported, file: file, place: "tensor \(tensor.name)",
                "has dtype \(tensor.type.rawValue); weights must be F32, F16 or BF16: take the float model")
        }
    }

    /// SHA-256 over the files used, in the order of their names: of each its name, a zero byte, its length in 8 bytes
    /// little-endian, and its content.
    private func digest() throws(ModelError) -> String {
        var files: [(name: String, bytes: MappedBytes)] = shards.readers.map { reader in
            ((reader.path as NSString).lastPathComponent, reader.bytes)
        }
        let others =
            ["config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
            + (shards.index == nil ? [] : ["model.safetensors.index.json"])
        for name in others {
            let file = Self.file(name, in: path)
            guard FileManager.default.fileExists(atPath: file) else { continue }
            files.append((name, try MappedFile(path: file).bytes))
        }
        let hash = SHA256()
        for (name, bytes) in files.sorted(by: { $0.name < $1.name }) {
            hash.update(Array(name.utf8) + [0])
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update($0) }
            bytes.withUnsafeBytes { hash.update($0) }
        }
        return hash.hexadecimal()
    }
}
