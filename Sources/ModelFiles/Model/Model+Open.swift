internal import Foundation

extension Model {
    /// Opens the model at `path`: a GGUF file, or a Hugging Face directory (config.json, *.safetensors, tokenizer.json).
    ///
    /// Everything is checked here: each tensor that the configuration asks for is there, in its shape, inside its file.
    ///
    /// - Throws: `unreadable`, `malformed` or `unsupported`, in one line that names file, place and remedy.
    package static func open(_ path: String) throws(ModelError) -> Model {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ModelError(.unreadable, file: path, "does not exist; give a GGUF file or a Hugging Face directory")
        }
        if isDirectory.boolValue {
            return try HuggingFaceDirectory(path: path).model()
        }
        return try GGUFModel(path: path).model()
    }
}
