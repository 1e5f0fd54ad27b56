internal import Foundation

/// The tokenizer of a Hugging Face directory, and the GGUF metadata that says the same.
struct HuggingFaceVocabulary {
    let tokenizer: Tokenizer
    /// `tokenizer.ggml.*` with tokens `[PADn]` up to the embedding's rows, and the chat template where there is one.
    let entries: [GGUFEntry]

    /// Reads tokenizer.json, and tokenizer_config.json and chat_template.jinja where they are there.
    init(directory: String, configuration: HuggingFaceConfiguration) throws(ModelError) {
        let path = Self.file("tokenizer.json", in: directory)
        guard let json = try Self.content(path) else {
            throw ModelError(.unreadable, file: directory, "has no tokenizer.json; fetch it with the model")
        }
        let configPath = Self.file("tokenizer_config.json", in: directory)
        let config = try Self.content(configPath)
        tokenizer = try Tokenizer(
            tokenizerJSON: json, configuration: config,
            beginOfText: configuration.tokenID("bos_token_id").flatMap { Int32(exactly: $0) },
            endOfText: configuration.tokenID("eos_token_id").flatMap { Int32(exactly: $0) }, file: path)
        let rows = configuration.model.vocabulary
        guard tokenizer.count <= rows else {
            throw ModelError(
                .malformed, file: path, place: "model.vocab",
                "has \(tokenizer.count) tokens, but config.json's vocab_size is \(rows); fetch files of one model")
        }
        var entries = tokenizer.ggufEntries(vocabulary: rows)
        let template = try Self.chatTemplate(config: config, configPath: configPath, directory: directory)
        if let template, !template.isEmpty {
            entries.append(GGUFEntry(key: "tokenizer.chat_template", value: .string(template)))
        }
        self.entries = entries
    }

    private static func chatTemplate(
        config: [UInt8]?, configPath: String, directory: String
    ) throws(ModelError) -> String? {
        let json = try config?.withUnsafeBufferPointer { buffer throws(ModelError) in
            try JSON(parsing: UnsafeRawBufferPointer(buffer), file: configPath)
        }
        if let template = json?["chat_template"]?.string { return template }
        let path = file("chat_template.jinja", in: directory)
        guard let bytes = try content(path) else { return nil }
        guard let template = String(validating: bytes, as: UTF8.self) else {
            throw ModelError(.malformed, file: path, "is not valid UTF-8; fetch it again")
        }
        return template
    }

    private static func file(_ name: String, in directory: String) -> String {
        (directory as NSString).appendingPathComponent(name)
    }

    private static func content(_ path: String) throws(ModelError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try MappedFile(path: path).bytes.withUnsafeBytes { Array($0) }
    }
}
