/// Writes a GGUF file (version 3, little-endian): header first, then each tensor's bytes in the order announced.
///
/// The bytes are a function of the arguments alone, and the ones that gguf-py writes for the same content.
package struct GGUFWriter {
    /// A tensor to come: its name, type and axes, the contiguous axis first.
    package typealias Description = (name: String, type: TensorType, dimensions: [Int])

    private let output: OutputFile
    private let tensors: [Description]
    private let counts: [Int]
    private let alignment: Int
    private var index = 0
    private var written = 0

    /// Starts the file at `path`, which appears when `finish()` returns.
    ///
    /// - Throws: `malformed` where a tensor's shape does not fit its type or two have one name; `unwritable`.
    package init(path: String, entries: [GGUFEntry], tensors: [Description]) throws(ModelError) {
        var names: Set<String> = []
        var counts: [Int] = []
        for tensor in tensors {
            guard let count = GGUFTensor.byteCount(tensor.type, tensor.dimensions), names.insert(tensor.name).inserted
            else {
                throw ModelError(
                    .malformed, file: path, place: "tensor \(tensor.name)",
                    "is announced twice, or its shape \(tensor.dimensions) does not fit \(tensor.type.name)")
            }
            counts.append(count)
        }
        alignment = try GGUFReader.alignment(of: entries, file: path)
        self.tensors = tensors
        self.counts = counts
        output = try OutputFile(path: path)
        var header = GGUFHeader(alignment: alignment)
        header.append(entries: entries, tensors: tensors, counts: counts)
        try output.append(header.bytes)
    }

    /// Appends bytes of the current tensor, the first one that is not complete; a tensor may come in many pieces.
    ///
    /// - Throws: `malformed` where they are more than the tensor has; `unwritable`.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ModelError) {
        guard !bytes.isEmpty else { return }
        guard index < tensors.count, bytes.count <= counts[index] - written else {
            let name = index < tensors.count ? tensors[index].name : "after the last"
            throw ModelError(.malformed, file: output.path, place: "tensor \(name)", "more bytes come than it has")
        }
        try output.append(bytes)
        written += bytes.count
        guard written == counts[index] else { return }
        try output.append([UInt8](repeating: 0, count: GGUFHeader.padding(after: written, to: alignment)))
        written = 0
        index += 1
    }

    /// Appends bytes of the current tensor.
    package mutating func append(_ bytes: [UInt8]) throws(ModelError) {
        try bytes.withUnsafeBufferPointer { buffer throws(ModelError) in try append(UnsafeRawBufferPointer(buffer)) }
    }

    /// Completes the file and gives it its name.
    ///
    /// - Throws: `malformed` where a tensor's bytes are missing; `unwritable`.
    package func finish() throws(ModelError) {
        guard index == tensors.count else {
            throw ModelError(
                .malformed, file: output.path, place: "tensor \(tensors[index].name)", "its bytes did not come")
        }
        try output.finish()
    }

    /// The exact size of the file in bytes: header, metadata, tensor table, tensors and padding.
    ///
    /// Entries and tensors must be ones that `init` accepts; a tensor whose shape does not fit its type counts as 0.
    package static func size(entries: [GGUFEntry], tensors: [Description]) -> Int {
        let alignment = entries.value(of: GGUFReader.alignmentKey)?.integer ?? GGUFReader.defaultAlignment
        let counts = tensors.map { GGUFTensor.byteCount($0.type, $0.dimensions) ?? 0 }
        var header = GGUFHeader(alignment: alignment)
        header.append(entries: entries, tensors: tensors, counts: counts)
        return counts.reduce(header.bytes.count) { $0 + $1 + GGUFHeader.padding(after: $1, to: alignment) }
    }
}
