internal import ArgumentParser
internal import Bundles
internal import Foundation
internal import ModelFiles
internal import Tuning

/// `fettle inspect`: what is in a model or a bundle.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows what is in a model file, a model directory or a bundle.")

    @Argument(help: "A GGUF file, a Hugging Face directory, or a bundle.")
    var path: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        if FileManager.default.fileExists(atPath: "\(path)/bundle.json") {
            try show(try BundleManifest(path: "\(path)/bundle.json"))
        } else {
            try show(ModelSummary(try Model.open(path)))
        }
    }

    private func show(_ manifest: BundleManifest) throws {
        if json { return try Console.json(manifest) }
        print("bundle     \(manifest.model.name) for \(manifest.profile.name) (runtime \(manifest.profile.runtime))")
        print(
            "model      \(manifest.model.architecture), \(manifest.model.parameters) parameters, \(manifest.model.fileType)"
        )
        print("quality    KL \(manifest.quality.kl) nats per token, mode \(manifest.quality.mode)")
        print("kv cache   \(manifest.plan.kv.format)\n")
        print(VerdictTable.text(manifest.verdicts))
        var table = TextTable(["group", "format", "activation", "refinement", "nats", "bytes"])
        for group in manifest.plan.groups {
            table.append([
                group.name, group.format, group.activation, group.refinement,
                String(format: "%.6f", group.sensitivity), String(group.storedBytes),
            ])
        }
        print("\n\(table.text)")
    }

    private func show(_ summary: ModelSummary) throws {
        if json { return try Console.json(summary) }
        print("model      \(summary.name) (\(summary.fileType)), \(summary.architecture)")
        print("parameters \(summary.parameters) in \(summary.bytes) bytes")
        print(
            "shape      \(summary.layers) layers of width \(summary.width), \(summary.heads) heads, "
                + "\(summary.keyValueHeads) key/value heads, context \(summary.context)")
        print("vocabulary \(summary.vocabulary) tokens, pre-tokenizer \(summary.preTokenizer)")
        print("digest     sha256 \(summary.digest)\n")
        var table = TextTable(["tensor", "type", "rows", "columns", "bytes"])
        for tensor in summary.tensors {
            table.append([tensor.name, tensor.type, "\(tensor.rows)", "\(tensor.columns)", "\(tensor.bytes)"])
        }
        print(table.text)
    }
}

/// A model as `inspect --json` prints it.
private struct ModelSummary: Encodable {
    struct TensorSummary: Encodable {
        let name: String
        let type: String
        let rows: Int
        let columns: Int
        let bytes: Int
    }

    let name: String
    let digest: String
    let architecture: String
    let parameters: Int
    let fileType: String
    let bytes: Int
    let vocabulary: Int
    let preTokenizer: String
    let width: Int
    let layers: Int
    let heads: Int
    let keyValueHeads: Int
    let feedForward: Int
    let context: Int
    let tiedEmbedding: Bool
    let tensors: [TensorSummary]

    enum CodingKeys: String, CodingKey {
        case name, digest, architecture, parameters, bytes, vocabulary, width, layers, heads, context, tensors
        case fileType = "file_type"
        case preTokenizer = "pre_tokenizer"
        case keyValueHeads = "key_value_heads"
        case feedForward = "feed_forward"
        case tiedEmbedding = "tied_embedding"
    }

    init(_ model: Model) {
        let configuration = model.configuration
        name = model.name
        digest = model.digest
        architecture = configuration.architecture.rawValue
        parameters = configuration.parameters
        fileType = model.fileType
        vocabulary = configuration.vocabulary
        preTokenizer = model.tokenizer.preTokenizer.rawValue
        width = configuration.width
        layers = configuration.layers
        heads = configuration.heads
        keyValueHeads = configuration.keyValueHeads
        feedForward = configuration.feedForward
        context = configuration.context
        tiedEmbedding = configuration.tiedEmbedding
        tensors = TensorName.all(of: configuration).compactMap { model.tensors[$0] }.map {
            TensorSummary(name: $0.name, type: $0.type.name, rows: $0.rows, columns: $0.columns, bytes: $0.bytes.count)
        }
        bytes = tensors.reduce(0) { $0 + $1.bytes }
    }
}
