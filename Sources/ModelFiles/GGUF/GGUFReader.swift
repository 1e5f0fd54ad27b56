/// A GGUF file (version 2 or 3, little-endian), mapped and checked: after `init` every tensor's bytes are inside the file.
///
/// Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
package struct GGUFReader: Sendable {
    package let path: String
    /// 2 or 3; they differ in nothing that a little-endian reader sees.
    package let version: Int
    /// The metadata in the order of the file.
    package let entries: [GGUFEntry]
    /// The tensors in the order of the file.
    package let tensors: [GGUFTensor]
    /// The whole file.
    package let bytes: MappedBytes

    /// Metadata key of the alignment, and the alignment without it.
    static let alignmentKey = "general.alignment"
    static let defaultAlignment = 32

    /// Maps and checks the file at `path`.
    ///
    /// - Throws: `unreadable`, `malformed` or `unsupported`, naming the byte, key or tensor at fault.
    package init(path: String) throws(ModelError) {
        let bytes = try MappedFile(path: path).bytes
        let contents = try bytes.withUnsafeBytes { raw throws(ModelError) in
            try Contents(bytes: raw, file: path)
        }
        var tensors: [GGUFTensor] = []
        tensors.reserveCapacity(contents.lines.count)
        for line in contents.lines {
            tensors.append(try line.tensor(in: bytes, dataStart: contents.dataStart, file: path))
        }
        try Self.checkOverlap(tensors, file: path)
        self.path = path
        self.version = contents.version
        self.entries = contents.entries
        self.tensors = tensors
        self.bytes = bytes
    }

    /// The alignment that `entries` ask for: a power of two, 32 where they do not say.
    static func alignment(of entries: [GGUFEntry], file: String) throws(ModelError) -> Int {
        guard let value = entries.value(of: alignmentKey) else { return defaultAlignment }
        guard case .uint32(let alignment) = value, alignment.nonzeroBitCount == 1 else {
            throw ModelError(.malformed, file: file, place: alignmentKey, "must be a uint32 that is a power of two")
        }
        return Int(alignment)
    }

    private static func checkOverlap(_ tensors: [GGUFTensor], file: String) throws(ModelError) {
        var end = 0
        var previous = ""
        for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
            guard tensor.offset >= end else {
                throw ModelError(
                    .malformed, file: file, place: "tensor \(tensor.name)", "shares bytes with tensor \(previous)")
            }
            end = tensor.offset + tensor.bytes.count
            previous = tensor.name
        }
    }
}

/// What stands before the tensors' bytes.
private struct Contents {
    var version = 0
    var entries: [GGUFEntry] = []
    var lines: [TableLine] = []
    /// Where the tensors' bytes begin.
    var dataStart = 0

    init(bytes: UnsafeRawBufferPointer, file: String) throws(ModelError) {
        var cursor = GGUFCursor(bytes: bytes, file: file)
        version = try Self.checkedVersion(&cursor, isEmpty: bytes.isEmpty, file: file)
        // A line of the tensor table takes at least 32 bytes: name's length, a character, one axis, type, offset.
        let tensorCount = try cursor.count(of: "the number of tensors", unit: 32)
        // An entry takes at least 13: key's length, type, one byte.
        let entryCount = try cursor.count(of: "the number of metadata entries", unit: 13)

        var keys: Set<String> = []
        for index in 0..<entryCount {
            let key = try cursor.string("the key of metadata entry \(index)")
            guard !key.isEmpty, keys.insert(key).inserted else {
                throw ModelError(
                    .malformed, file: file, place: "metadata entry \(index)",
                    key.isEmpty ? "has no key" : "repeats \(key)")
            }
            let type = try cursor.number("the type of \(key)", as: UInt32.self)
            entries.append(GGUFEntry(key: key, value: try cursor.value(type: type, key: key)))
        }

        var names: Set<String> = []
        for index in 0..<tensorCount {
            let line = try TableLine(&cursor, index: index, file: file)
            guard names.insert(line.name).inserted else {
                throw ModelError(.malformed, file: file, place: "tensor \(line.name)", "occurs twice")
            }
            lines.append(line)
        }
        let alignment = try GGUFReader.alignment(of: entries, file: file)
        for line in lines where line.offset % UInt64(alignment) != 0 {
            throw ModelError(
                .malformed, file: file, place: "tensor \(line.name)",
                "its offset \(line.offset) is not a multiple of the alignment \(alignment)")
        }
        dataStart = (cursor.offset + alignment - 1) / alignment * alignment
    }

    private static func checkedVersion(
        _ cursor: inout GGUFCursor, isEmpty: Bool, file: String
    ) throws(ModelError) -> Int {
        guard !isEmpty else { throw ModelError(.malformed, file: file, "is empty; fetch it again") }
        guard try cursor.number("GGUF's magic number", as: UInt32.self) == 0x4655_4747 else {
            throw ModelError(.malformed, file: file, place: "byte 0", "is not a GGUF file: it does not begin with GGUF")
        }
        let version = try cursor.number("the version", as: UInt32.self)
        switch version {
        case 2, 3: return Int(version)
        case 1:
            throw ModelError(
                .unsupported, file: file, "is GGUF version 1, which llama.cpp dropped too; convert the model again")
        case _ where version & 0xFFFF == 0:
            throw ModelError(.unsupported, file: file, "is a big-endian GGUF file; convert it with gguf-convert-endian")
        default:
            throw ModelError(.unsupported, file: file, "is GGUF version \(version); versions 2 and 3 are known")
        }
    }
}

/// One line of the tensor table, its place in the file not yet checked.
private struct TableLine {
    let name: String
    let type: TensorType
    let dimensions: [Int]
    /// From the start of the data.
    let offset: UInt64
    let count: Int

    init(_ cursor: inout GGUFCursor, index: Int, file: String) throws(ModelError) {
        let name = try cursor.string("the name of tensor \(index)")
        let place = "tensor \(name)"
        guard !name.isEmpty else {
            throw ModelError(.malformed, file: file, place: "tensor \(index)", "has no name")
        }
        let axes = try cursor.number("\(place): its number of axes", as: UInt32.self)
        guard (1...4).contains(axes) else {
            throw ModelError(.malformed, file: file, place: place, "has \(axes) axes; 1 to 4 are possible")
        }
        var dimensions: [Int] = []
        for _ in 0..<axes {
            let length = try cursor.number("\(place): its shape", as: UInt64.self)
            guard length > 0, let length = Int(exactly: length) else {
                throw ModelError(.malformed, file: file, place: place, "has an axis of length \(length)")
            }
            dimensions.append(length)
        }
        let number = try cursor.number("\(place): its type", as: UInt32.self)
        guard let type = TensorType(rawValue: number) else {
            throw ModelError(
                .unsupported, file: file, place: place,
                "has type \(number), which is not known here; take a file of another quantization, F16 at best")
        }
        guard let count = GGUFTensor.byteCount(type, dimensions) else {
            throw ModelError(
                .malformed, file: file, place: place,
                "its shape \(dimensions) does not fit \(type.name): rows are blocks of \(type.blockLength) numbers, and "
                    + "all of it must fit a file")
        }
        self.name = name
        self.type = type
        self.dimensions = dimensions
        self.offset = try cursor.number("\(place): its offset", as: UInt64.self)
        self.count = count
    }

    func tensor(in bytes: MappedBytes, dataStart: Int, file: String) throws(ModelError) -> GGUFTensor {
        let (start, overflow) = UInt64(dataStart).addingReportingOverflow(offset)
        guard !overflow, let start = Int(exactly: start), let slice = bytes.slice(offset: start, count: count) else {
            let (end, farther) = start.addingReportingOverflow(UInt64(count))
            throw ModelError(
                .malformed, file: file, place: "tensor \(name)",
                "needs bytes \(overflow ? offset : start)..\(farther || overflow ? UInt64.max : end) but the file ends at "
                    + "\(bytes.count); the file is truncated, fetch it again")
        }
        return GGUFTensor(name: name, type: type, dimensions: dimensions, offset: start, bytes: slice)
    }
}
