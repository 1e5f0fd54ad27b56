package import DeviceProfiles
package import ModelFiles
package import Quantization

/// What the weights file of a bundle holds, tensor by tensor, known before a single byte is packed: the size that a profile's
/// `memory.storage` limits is a function of the SPECs alone.
package struct WeightsFileLayout: Sendable {
    /// How the file is written.
    package enum Container: Sendable {
        /// model.safetensors: matrices as stored, in U8, norms as F32, SPECs in the metadata.
        case safetensors([SafetensorsWriter.Description], metadata: [(key: String, value: String)])
        /// model.gguf: the source's metadata with the file type changed.
        case gguf([GGUFWriter.Description], entries: [GGUFEntry])
    }

    package let container: Container
    /// Canonical tensor names in the order of the file.
    package let names: [String]

    /// Key of the safetensors metadata under which a tensor's SPEC stands.
    package static func specKey(_ tensor: String) -> String { "spec:\(tensor)" }
    /// Key of the safetensors metadata under which the scale of a tensor's static input stands: the 8 hexadecimal digits of a
    /// float32.
    package static func frozenScaleKey(_ tensor: String) -> String { "scale:\(tensor)" }
    /// Bytes that the scale of a tensor's static input takes in the header: key and digits in quotes, a colon and a comma.
    package static func frozenScaleBytes(_ tensor: String) -> Int { frozenScaleKey(tensor).utf8.count + 8 + 6 }
    /// Key of the safetensors metadata that names the layout and its version.
    package static let layoutKey = "fettle.layout"
    /// The layout that this version writes, and the arithmetic that golden vectors hold: a new one with a change of either.
    package static let layoutVersion = "r16.3"
    /// Divisors of the rotary frequencies, where a model has them.
    package static let rotaryDivisors = "rope_freqs.weight"

    /// The layout for `model` with a SPEC for each matrix, by canonical name.
    ///
    /// - Throws: `unsupported` where a matrix has no SPEC or one that the runtime's file cannot hold.
    package init(
        model: Model, specs: [String: Spec], frozenScales: [String: Float] = [:], runtime: TargetRuntime
    ) throws(ModelError) {
        let configuration = model.configuration
        let names = TensorName.all(of: configuration)
        self.names = names
        switch runtime {
        case .fettle:
            container = try Self.safetensors(model: model, names: names, specs: specs, frozenScales)
        case .llamaCpp:
            container = try Self.gguf(model: model, names: names, specs: specs)
        }
    }

    /// The exact size of the file in bytes, header, metadata and padding included.
    package var storedBytes: Int {
        switch container {
        case .safetensors(let tensors, let metadata): SafetensorsWriter.size(metadata: metadata, tensors: tensors)
        case .gguf(let tensors, let entries): GGUFWriter.size(entries: entries, tensors: tensors)
        }
    }

    /// Matrices come first, whole cache lines each, so that every one of them begins on a cache line of the file.
    private static func safetensors(
        model: Model, names: [String], specs: [String: Spec], _ frozenScales: [String: Float]
    ) throws(ModelError) -> Container {
        var matrices: [SafetensorsWriter.Description] = []
        var vectors: [SafetensorsWriter.Description] = []
        var metadata = [(key: layoutKey, value: layoutVersion)]
        for name in names {
            let tensor = try model.tensor(name)
            if tensor.rows == 1 {
                vectors.append(.init(name: name, type: .f32, shape: [tensor.columns]))
                continue
            }
            guard let spec = specs[name] else { throw Self.noSpec(model, name) }
            let bytes = spec.format.storedBytes(rows: tensor.rows, columns: tensor.columns)
            matrices.append(.init(name: name, type: .u8, shape: [bytes], isAligned: true))
            metadata.append((specKey(name), spec.description))
            if spec.activation == .static {
                let digits = String((frozenScales[name] ?? 0).bitPattern, radix: 16)
                metadata.append((frozenScaleKey(name), String(repeating: "0", count: 8 - digits.count) + digits))
            }
        }
        if let divisors = model.configuration.rotaryDivisors {
            vectors.append(.init(name: rotaryDivisors, type: .f32, shape: [divisors.count]))
        }
        return .safetensors(matrices + vectors, metadata: metadata)
    }

    private static func gguf(
        model: Model, names: [String], specs: [String: Spec]
    ) throws(ModelError) -> Container {
        var tensors: [GGUFWriter.Description] = []
        for name in names {
            let tensor = try model.tensor(name)
            if tensor.rows == 1 {
                tensors.append((name: name, type: .f32, dimensions: [tensor.columns]))
                continue
            }
            guard let spec = specs[name] else { throw Self.noSpec(model, name) }
            let type: TensorType
            switch spec.format {
            case .float16: type = .f16
            case .block(let block): type = block.tensorType
            case .grid:
                throw ModelError(
                    .unsupported, file: model.path, place: name, "llama.cpp cannot read \(spec.format); use a GGUF type"
                )
            }
            tensors.append((name: name, type: type, dimensions: [tensor.columns, tensor.rows]))
        }
        if let divisors = model.configuration.rotaryDivisors {
            tensors.append((name: rotaryDivisors, type: .f32, dimensions: [divisors.count]))
        }
        return .gguf(tensors, entries: entries(of: model))
    }

    /// The source's metadata, without what described its own storage.
    private static func entries(of model: Model) -> [GGUFEntry] {
        let replaced: Set<String> = ["general.file_type", "general.quantization_version", "general.alignment"]
        // 2 is the version of ggml's quantized layouts; a mixture has no file type of its own, and 1024 says "guessed".
        return model.metadata.filter { !replaced.contains($0.key) } + [
            GGUFEntry(key: "general.quantization_version", value: .uint32(2)),
            GGUFEntry(key: "general.file_type", value: .uint32(1024)),
        ]
    }

    private static func noSpec(_ model: Model, _ name: String) -> ModelError {
        ModelError(.unsupported, file: model.path, place: name, "the plan has no choice for this tensor")
    }
}
