/// Writes a safetensors file: header first, then each tensor's bytes in the order announced.
///
/// The header is padded with spaces so that the data begins at a multiple of 64 bytes. The format has no holes between
/// tensors: a tensor that must be aligned needs tensors before it whose bytes add up to a multiple of 64.
package struct SafetensorsWriter {
    /// A tensor to come.
    package struct Description: Sendable {
        package let name: String
        package let type: SafetensorsType
        /// Lengths of the axes, the contiguous one last.
        package let shape: [Int]
        /// Whether its bytes must begin at a multiple of 64 in the file.
        package let isAligned: Bool

        package init(name: String, type: SafetensorsType, shape: [Int], isAligned: Bool = false) {
            self.name = name
            self.type = type
            self.shape = shape
            self.isAligned = isAligned
        }
    }

    /// What the data, and tensors that ask for it, are aligned to.
    package static let alignment = 64

    private let output: OutputFile
    private let tensors: [Description]
    private let counts: [Int]
    private var index = 0
    private var written = 0

    /// Starts the file at `path`, which appears when `finish()` returns.
    ///
    /// - Throws: `malformed` where names repeat, a shape does not fit a file, or an aligned tensor would not be aligned;
    ///   `unwritable`.
    package init(
        path: String, metadata: [(key: String, value: String)] = [], tensors: [Description]
    ) throws(ModelError) {
        var names: Set<String> = ["__metadata__"]
        var counts: [Int] = []
        var offset = 0
        for tensor in tensors {
            let place = "tensor \(tensor.name)"
            guard let count = SafetensorsTensor.byteCount(tensor.type, tensor.shape), names.insert(tensor.name).inserted
            else {
                throw ModelError(.malformed, file: path, place: place, "is announced twice, or its shape does not fit")
            }
            guard !tensor.isAligned || offset % Self.alignment == 0 else {
                throw ModelError(
                    .malformed, file: path, place: place,
                    "must be aligned to \(Self.alignment) bytes, but begins at \(offset); put whole multiples before it"
                )
            }
            counts.append(count)
            offset += count
        }
        self.tensors = tensors
        self.counts = counts
        output = try OutputFile(path: path)
        try output.append(Self.header(metadata: metadata, tensors: tensors, counts: counts))
        skipEmpty()
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
        skipEmpty()
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

    /// The exact size of the file in bytes, header and padding included.
    ///
    /// Tensors must be ones that `init` accepts; one whose shape does not fit a file counts as 0.
    package static func size(metadata: [(key: String, value: String)] = [], tensors: [Description]) -> Int {
        let counts = tensors.map { SafetensorsTensor.byteCount($0.type, $0.shape) ?? 0 }
        return counts.reduce(header(metadata: metadata, tensors: tensors, counts: counts).count, +)
    }

    /// Steps over tensors that are complete; one without numbers is complete from the start.
    private mutating func skipEmpty() {
        while index < counts.count, written == counts[index] {
            index += 1
            written = 0
        }
    }

    private static func header(
        metadata: [(key: String, value: String)], tensors: [Description], counts: [Int]
    ) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.map { "\(JSON.quoted($0.key)):\(JSON.quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for (tensor, count) in zip(tensors, counts) {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(JSON.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(offset + count)]}")
            offset += count
        }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        let rest = (8 + text.count) % alignment
        text += [UInt8](repeating: UInt8(ascii: " "), count: rest == 0 ? 0 : alignment - rest)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}
