/// The GGUF metadata that llama.cpp's convert_hf_to_gguf writes for a Llama model: what decides how it runs. The
/// vocabulary's comes from the tokenizer; names for leader boards (size label, base model) are left out.
struct HuggingFaceMetadata {
    private let name: String
    private let configuration: ModelConfiguration
    private let fileType: TensorType

    /// The metadata of a model `name` whose matrices are mostly of `fileType`, a float.
    init(name: String, configuration: ModelConfiguration, fileType: TensorType) {
        self.name = name
        self.configuration = configuration
        self.fileType = fileType
    }

    /// The entries in the converter's order.
    var entries: [GGUFEntry] {
        let c = configuration
        let prefix = c.architecture.rawValue
        var entries = [
            GGUFEntry(key: "general.architecture", value: .string(prefix)),
            GGUFEntry(key: "general.type", value: .string("model")),
            GGUFEntry(key: "general.name", value: .string(name)),
        ]
        func add(_ key: String, _ value: GGUFValue) {
            entries.append(GGUFEntry(key: "\(prefix).\(key)", value: value))
        }
        // Lengths fit 32 bits: ModelConfiguration.check bounds them.
        add("block_count", .uint32(UInt32(c.layers)))
        add("context_length", .uint32(UInt32(c.context)))
        add("embedding_length", .uint32(UInt32(c.width)))
        add("feed_forward_length", .uint32(UInt32(c.feedForward)))
        add("attention.head_count", .uint32(UInt32(c.heads)))
        add("attention.head_count_kv", .uint32(UInt32(c.keyValueHeads)))
        add("rope.freq_base", .float32(c.rotaryBase))
        add("attention.layer_norm_rms_epsilon", .float32(c.normEpsilon))
        add("attention.key_length", .uint32(UInt32(c.headWidth)))
        add("attention.value_length", .uint32(UInt32(c.headWidth)))
        entries.append(GGUFEntry(key: "general.file_type", value: .uint32(fileTypeNumber)))
        add("vocab_size", .uint32(UInt32(c.vocabulary)))
        add("rope.dimension_count", .uint32(UInt32(c.headWidth)))
        entries.append(GGUFEntry(key: "general.quantization_version", value: .uint32(2)))
        return entries
    }

    /// llama.h, `enum llama_ftype`.
    private var fileTypeNumber: UInt32 {
        switch fileType {
        case .f16: 1
        case .bf16: 32
        default: 0
        }
    }
}
